/** One signature from a sample's key file, PFX and kept record: what the worker does (security A1, A2, A15, B11). */

import assert from 'node:assert/strict'
import { createHash, X509Certificate } from 'node:crypto'
import { test } from 'node:test'
import { p256 } from '@noble/curves/nist.js'
import { challengeText } from '../../src/pure/challenge.ts'
import { Refusal } from '../../src/pure/failure.ts'
import { Certificate } from '../../src/pure/npki/certificate.ts'
import { perform } from '../../src/vault/operation.ts'
import { openRecord } from '../../src/vault/record.ts'
import type { KeySource, Work } from '../../src/vault/work.ts'
import { bytes, codeOf, text } from '../pure/vectors.ts'
import { request } from './request.ts'

const CERTIFICATE = bytes('npki-samples/pypinksign/signCert.der')
const KEY_FILE = bytes('npki-samples/pypinksign/signPri.key')
const FILE: KeySource = { kind: 'file', certificate: CERTIFICATE, keyFile: KEY_FILE }
const PFX: KeySource = { kind: 'pfx', pfx: bytes('npki-samples/pypinksign/test.pfx') }
const PASSWORD = 'WTuA8Ev0lWXVFSiI!'
const SEAL_KEY = p256.getPublicKey(new Uint8Array(32).fill(7), false)

const sealKey = (): Promise<Uint8Array> => Promise.resolve(SEAL_KEY)
const never = (): Promise<Uint8Array> => Promise.reject(new Error('the sealing key was fetched without need'))

function work(source: KeySource, changes: Partial<Work> = {}): Work {
  const { challenge } = request()
  const signingTime = Date.parse('2026-11-22T10:00:30Z')
  return { source, password: text(PASSWORD), challenge, signingTime, sealFor: null, keep: false, ...changes }
}

test('A2 the signature is over the text that the vault builds, under the certificate’s key', async () => {
  const told = { opened: false }
  const { signed, sealed } = await perform(work(FILE), never, told)
  const content = challengeText(request().challenge, CERTIFICATE, null)
  assert.equal(sealed, null)
  assert.equal(told.opened, true)
  assert.ok(Buffer.from(signed).includes(Buffer.from(content)))
  assert.ok(Buffer.from(signed).includes(new X509Certificate(CERTIFICATE).raw))
})

test('A15 R is sealed for the configured center, and the text carries the hash of the blob', async () => {
  const asked: string[] = []
  const { signed, sealed } = await perform(
    work(FILE, { sealFor: 'http://localhost:8700' }),
    (center) => {
      asked.push(center)
      return sealKey()
    },
    { opened: false },
  )
  assert.deepEqual(asked, ['http://localhost:8700'])
  assert.ok(sealed !== null)
  assert.equal(
    Buffer.from(sealed.subarray(0, 16)).toString(),
    createHash('sha256').update(SEAL_KEY).digest('hex').slice(0, 16),
  )
  assert.ok(Buffer.from(signed).includes(Buffer.from(challengeText(request().challenge, CERTIFICATE, sealed))))
})

test('M-REG-03 a key without R is refused before the sealing key is asked for or anything is signed', async () => {
  const keyFile = bytes('npki-samples/kiea-mydata/kmPri.key')
  const certificate = bytes('npki-samples/kiea-mydata/kmCert.der')
  const source: KeySource = { kind: 'file', certificate, keyFile }
  const sealing = work(source, { password: text('11223344'), sealFor: 'x' })
  assert.equal(await codeOf(() => perform(sealing, never, { opened: false })), 'vid-missing')
})

test('a wrong password, and a key of another certificate, are told apart', async () => {
  const told = { opened: false }
  assert.equal(await codeOf(() => perform(work(FILE, { password: text('wrong') }), never, told)), 'wrong-password')
  assert.equal(told.opened, false)
  const source: KeySource = { ...FILE, certificate: bytes('npki-samples/kiea-mydata/signCert.der') }
  assert.equal(await codeOf(() => perform(work(source), never, told)), 'key-mismatch')
  assert.equal(told.opened, true)
})

test('a PFX signs as its two files do', async () => {
  const { certificate, signed } = await perform(work(PFX), never, { opened: false })
  assert.deepEqual(certificate, new Certificate(CERTIFICATE).der)
  assert.ok(signed.length > 1000)
})

test('B6 what is kept is the unchanged key file, and the record signs by itself', async () => {
  const { keep } = await perform(work(FILE, { keep: true }), never, { opened: false })
  assert.ok(keep !== null)
  assert.deepEqual((await openRecord(keep, text(PASSWORD))).keyFile, KEY_FILE)
  const again = await perform(work({ kind: 'record', record: keep }), never, { opened: false })
  assert.equal(again.keep, null)
  assert.deepEqual(again.certificate, CERTIFICATE)
})

test('B6 a PFX is kept with its PKCS#8 unchanged, R included', async () => {
  const { keep } = await perform(work(PFX, { keep: true }), never, { opened: false })
  assert.ok(keep !== null)
  const sealing = work({ kind: 'record', record: keep }, { sealFor: 'http://localhost:8700' })
  assert.notEqual((await perform(sealing, sealKey, { opened: false })).sealed, null)
})

test('B11 no failure carries the password or bytes of the key', async () => {
  for (const changes of [{ password: text('sEcret-pass') }, { sealFor: 'x' }]) {
    try {
      await perform(work(FILE, changes), () => Promise.reject(new Refusal('outage')), { opened: false })
      assert.fail('it did not fail')
    } catch (failure) {
      const said = JSON.stringify([failure, String(failure), (failure as Refusal).facts])
      for (const secret of ['sEcret-pass', PASSWORD]) assert.equal(said.includes(secret), false)
    }
  }
})
