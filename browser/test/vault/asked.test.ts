/** A request to sign, checked before anything is shown (security A1, A19, B2). */

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { asked, expired, instantOf, sameAct } from '../../src/vault/asked.ts'
import { codeOf } from '../pure/vectors.ts'
import { CENTER, message, request } from './request.ts'

const TEXT = '기존 인증서(지문 a1b2)를 이 인증서로 바꿉니다.\n'
const HASH = createHash('sha256').update(TEXT).digest('hex')

test('A1 the origin in the signed text is the vault’s own setting, and another one is refused', async () => {
  assert.equal(request().challenge.origin, CENTER)
  for (const origin of ['http://localhost:8701', 'https://localhost:8700', 'http://localhost:8700/', '']) {
    assert.equal(await codeOf(() => asked(message({ origin }), CENTER, 0)), 'challenge-origin')
  }
})

test('A19 the text that is shown is the text whose hash is signed', async () => {
  assert.equal(request({ body: HASH, body_text: TEXT }).bodyText, TEXT)
  for (const [body, body_text] of [
    [HASH, `${TEXT} `],
    [HASH, null],
    [null, TEXT],
    ['0'.repeat(64), TEXT],
  ] as const) {
    assert.equal(await codeOf(() => asked(message({ body, body_text }), CENTER, 0)), 'challenge-body')
  }
})

test('a challenge that lives backwards or for hours is refused', async () => {
  for (const expires of ['2026-11-22T10:00:00Z', '2026-11-22T09:59:59Z', '2026-11-22T12:00:00Z', '2026-99-99T99:99:99Z']) {
    assert.equal(await codeOf(() => asked(message({ expires }), CENTER, 0)), 'challenge-life')
  }
})

test('time is counted on from the server’s clock, so that a wrong clock of the PC does no harm', () => {
  assert.equal(instantOf(request(), 61_000).toISOString(), '2026-11-22T10:01:00.000Z')
  assert.equal(instantOf(request(), 0).toISOString(), '2026-11-22T10:00:00.000Z')
})

test('a challenge that ends while the answer is on its way counts as ended', () => {
  assert.equal(expired(request(), 1000 + 174_999), false)
  assert.equal(expired(request(), 1000 + 175_000), true)
})

test('what the person confirmed holds for a newer challenge of the same act only', () => {
  const before = request({ body: HASH, body_text: TEXT })
  const fresh = { nonce: '9'.repeat(64), issued: '2026-11-22T10:05:00Z', expires: '2026-11-22T10:08:00Z' }
  assert.equal(sameAct(before, request({ ...fresh, body: HASH, body_text: TEXT })), true)
  assert.equal(sameAct(before, request(fresh)), false)
  assert.equal(sameAct(before, request({ ...fresh, body: HASH, body_text: TEXT, purpose: 'login' })), false)
  assert.equal(sameAct(before, request({ ...fresh, body: HASH, body_text: TEXT, seal: false })), false)
  assert.equal(sameAct(before, request({ ...fresh, body: HASH, body_text: TEXT, session: '3'.repeat(64) })), false)
})
