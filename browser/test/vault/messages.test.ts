/** The closed list of messages between the center's page and the vault (security B2). */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Refusal } from '../../src/pure/failure.ts'
import { comesFrom, fromCenter, fromVault, RESERVED, written } from '../../src/vault/messages.ts'
import { message } from './request.ts'

const sign = written({ kind: 'sign', id: 'a-1', challenge: message() })

const ISSUED = {
  kind: 'issued',
  id: 'a-1',
  fingerprint: '4'.repeat(64),
  serial: '7f01',
  not_after: '2027-11-26T14:59:59Z',
  kept: true,
} as const

function codeOf(doing: () => unknown): string {
  try {
    doing()
  } catch (failure) {
    if (failure instanceof Refusal) return failure.code
    throw failure
  }
  return 'done'
}

test('B2 what both sides write, both sides read', () => {
  assert.deepEqual(fromCenter(sign), { kind: 'sign', id: 'a-1', challenge: message() })
  assert.deepEqual(fromCenter(written({ kind: 'close', id: 'a-1' })), { kind: 'close', id: 'a-1' })
  for (const told of [
    { kind: 'ready' },
    { kind: 'signed', id: 'a-1', signed: 'TUlJ', sealed: null },
    { kind: 'signed', id: 'a-1', signed: 'TUlJ', sealed: 'QUJD' },
    { kind: 'cancelled', id: 'a-1' },
    { kind: 'expired', id: 'a-1' },
    { kind: 'refused', id: 'a-1', code: 'challenge-origin' },
    { kind: 'made', id: 'a-1', spki: '3'.repeat(64) },
    { kind: 'carry', id: 'a-1', message: 'TUlJ' },
    ISSUED,
    { kind: 'done', id: 'a-1' },
    { kind: 'size', id: 'a-1', height: 640 },
  ] as const) {
    assert.deepEqual(fromVault(written(told)), told)
  }
})

test('B2 the kinds that come later are refused by their own code', () => {
  for (const kind of RESERVED) {
    assert.equal(codeOf(() => fromCenter({ ingam: 1, kind, id: 'a-1' })), 'message-reserved')
  }
})

test('B2 anything that is not on the list is refused', () => {
  const wrong: unknown[] = [
    null,
    'sign',
    [],
    {},
    { ...sign, ingam: 2 },
    { ...sign, kind: 'open' },
    { ...sign, id: 'A 1' },
    { ...sign, id: 'x'.repeat(41) },
    { ...sign, password: 'x' },
    { ...sign, challenge: null },
    { ingam: 1, kind: 'close', id: 'a-1', more: true },
  ]
  for (const each of wrong) assert.equal(codeOf(() => fromCenter(each)), 'message-refused')
})

test('A1 no value of a challenge can break out of its line or bring a field of its own', () => {
  const wrong: Record<string, unknown>[] = [
    { nonce: 'f'.repeat(63) },
    { nonce: `${'f'.repeat(63)}\n` },
    { nonce: 'F'.repeat(64) },
    { session: 1 },
    { issued: '2026-11-22T10:00:00+09:00' },
    { expires: '2026-11-22T10:00:00Z\npurpose: login' },
    { purpose: 'transfer' },
    { purpose: 'toString' },
    { body: 'x' },
    { body_text: 'x'.repeat(8193) },
    { seal: 'yes' },
    { customer_kind: 'anyone' },
    { lang: 'fr' },
    { origin: 1 },
    { sealKey: 'mine' },
  ]
  for (const each of wrong) {
    assert.equal(codeOf(() => fromCenter({ ...sign, challenge: { ...message(), ...each } })), 'message-refused')
  }
  const { nonce: _, ...without } = message()
  assert.equal(codeOf(() => fromCenter({ ...sign, challenge: without })), 'message-refused')
})

test('what the vault tells is bounded and base64', () => {
  for (const signed of ['', 'not base64!', 'A'.repeat(65_537), null]) {
    const told = { ingam: 1, kind: 'signed', id: 'a-1', signed, sealed: null }
    assert.equal(codeOf(() => fromVault(told)), 'message-refused')
  }
})

test('B2 a message counts only from exactly that origin and exactly that window', () => {
  const frame = {} as MessageEventSource
  const event = (origin: string, source: unknown): MessageEvent => ({ origin, source }) as MessageEvent
  assert.equal(comesFrom(event('http://localhost:8700', frame), 'http://localhost:8700', frame), true)
  assert.equal(comesFrom(event('http://localhost:8701', frame), 'http://localhost:8700', frame), false)
  assert.equal(comesFrom(event('http://localhost:8700.evil.test', frame), 'http://localhost:8700', frame), false)
  assert.equal(comesFrom(event('http://localhost:8700', {}), 'http://localhost:8700', frame), false)
  assert.equal(comesFrom(event('http://localhost:8700', null), 'http://localhost:8700', null), false)
})
