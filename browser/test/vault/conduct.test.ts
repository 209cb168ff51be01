/** Standing of certificates, tries, places, and lines of the window. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Entry, entryOfGroup, entryOfRecord, merged, type Picked } from '../../src/vault/entries.ts'
import { ownPlace, PLACES, placesFor } from '../../src/vault/place.ts'
import { keep } from '../../src/vault/record.ts'
import { standingOf } from '../../src/vault/standing.ts'
import { afterRight, afterWrong, type Counts, loadCounts, REST_MS, restOf, saveCounts, TRIES } from '../../src/vault/tries.ts'
import { bytes } from '../pure/vectors.ts'
import { request } from './request.ts'

const SIGN = 'npki-samples/pypinksign/signCert.der'
const SIGN_KEY = 'npki-samples/pypinksign/signPri.key'

function picked(path: string): Picked {
  return { path, size: bytes(path).length, read: () => Promise.resolve(bytes(path)) }
}

function lineOf(certificate: string | null, key: string | null): Promise<Entry> {
  return entryOfGroup({
    kind: 'pair',
    certificate: certificate === null ? null : picked(certificate),
    key: key === null ? null : picked(key),
  })
}

test('a certificate in its time, under a known authority and of an accepted policy, can be used', async () => {
  const corporate = await lineOf('npki-samples/kiea-mydata/signCert.der', 'npki-samples/kiea-mydata/signPri.key')
  const now = new Date(corporate.certificate!.notBefore.getTime() + 1000)
  const standing = standingOf(corporate, request({ customer_kind: 'corporate' }), now)
  assert.deepEqual([standing.usable, standing.code], [true, null])
  assert.equal(standingOf(corporate, request({ customer_kind: 'personal' }), now).code, 'kind-clash')
  assert.equal(standingOf(corporate, request({ purpose: 'login', customer_kind: null, seal: false }), now).usable, true)
})

test('each reason has its own code', async () => {
  const line = await lineOf(SIGN, SIGN_KEY)
  const { notBefore, notAfter } = line.certificate!
  const at = (instant: Date, ms: number): string | null =>
    standingOf(line, request(), new Date(instant.getTime() + ms)).code
  assert.equal(at(notAfter, 1000), 'cert-expired')
  assert.equal(at(notBefore, -1000), 'cert-not-yet')
  const km = await lineOf('npki-samples/kiea-mydata/kmCert.der', 'npki-samples/kiea-mydata/kmPri.key')
  const then = new Date(km.certificate!.notBefore.getTime() + 1000)
  assert.equal(standingOf(km, request(), then).code, 'cert-not-for-signing')
  const authority = await lineOf('npki-samples/authorities/SignKorea_CA4.cer', SIGN_KEY)
  assert.equal(standingOf(authority, request(), new Date('2026-11-22')).usable, false)
})

test('thirty days before its end a certificate says how many are left', async () => {
  const line = await lineOf('npki-samples/kiea-mydata/signCert.der', 'npki-samples/kiea-mydata/signPri.key')
  const before = new Date(line.certificate!.notAfter.getTime() - 17 * 86_400_000 + 1000)
  const standing = standingOf(line, request({ customer_kind: 'corporate' }), before)
  assert.deepEqual([standing.chip, standing.days, standing.usable], ['soon', 17, true])
})

test('what is missing or damaged is shown with its reason instead of failing', async () => {
  assert.equal((await lineOf(SIGN, null)).trouble, 'key-file-missing')
  assert.equal((await lineOf(null, SIGN_KEY)).trouble, 'certificate-file-missing')
  assert.equal((await lineOf(SIGN_KEY, SIGN_KEY)).trouble, 'cert-malformed')
  assert.equal((await lineOf(SIGN, SIGN)).trouble, 'key-damaged')
})

test('picking the same certificate twice shows it once', async () => {
  const [one, again] = [await lineOf(SIGN, SIGN_KEY), await lineOf(SIGN, SIGN_KEY)]
  assert.deepEqual(merged([one], [again]).map((each) => each.id), [again.id])
})

test('B15 a kept record is listed without a password', async () => {
  const record = await keep(bytes(SIGN), bytes(SIGN_KEY), new Uint8Array([1]), 10)
  assert.equal(entryOfRecord(record).certificate?.fingerprintHex.length, 64)
})

test('five wrong passwords in a row rest a certificate for ten minutes, and it alone', () => {
  const [one, other] = ['a'.repeat(64), 'b'.repeat(64)]
  let counts: Counts = {}
  for (let wrong = 1; wrong <= TRIES; wrong++) {
    assert.equal(restOf(counts, one, 0), 0)
    const after = afterWrong(counts, one, 0)
    assert.equal(after.wrong, wrong)
    counts = after.counts
  }
  assert.equal(restOf(counts, one, 0), REST_MS)
  assert.equal(restOf(counts, one, REST_MS), 0)
  assert.equal(restOf(counts, other, 0), 0)
  assert.equal(afterWrong(counts, one, REST_MS).wrong, 1)
  assert.equal(restOf(counts, one, -10 * REST_MS), REST_MS)
  assert.deepEqual(afterRight(counts, one), {})
})

test('counts survive the window, and what else may lie in the storage does no harm', () => {
  const kept = new Map<string, string>()
  const storage = {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
  }
  const { counts } = afterWrong({}, 'a'.repeat(64), 0)
  saveCounts(storage, counts)
  assert.deepEqual(loadCounts(storage), counts)
  for (const text of ['', '{', 'null', '7', '{"x":1}', '{"__proto__":{"wrong":9,"until":9}}']) {
    kept.set('ingam.tries', text)
    assert.deepEqual(loadCounts(storage), {})
  }
})

test('the person’s own system comes first, and a phone has none', () => {
  const agent = (userAgent: string, maxTouchPoints = 0): string => ownPlace({ userAgent, maxTouchPoints })
  assert.equal(agent('Mozilla/5.0 (Windows NT 10.0; Win64; x64)'), 'windows')
  assert.equal(agent('Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)'), 'macos')
  assert.equal(agent('Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)', 5), 'phone')
  assert.equal(agent('Mozilla/5.0 (X11; Linux x86_64)'), 'linux')
  assert.equal(agent('Mozilla/5.0 (Linux; Android 15)'), 'phone')
  assert.equal(placesFor('macos')[0], 'macos')
  assert.equal(PLACES.windows, '%USERPROFILE%\\AppData\\LocalLow\\NPKI')
})
