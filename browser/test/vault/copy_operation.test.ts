/** What leaves when a certificate is copied, and what must be true before it does (A19, B11, C11, C14, M-COPY-10). */

import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { test } from 'node:test'
import { challengeText } from '../../src/pure/challenge.ts'
import { Certificate } from '../../src/pure/npki/certificate.ts'
import { openKey } from '../../src/pure/npki/key_file.ts'
import { openPfx } from '../../src/pure/npki/pfx.ts'
import { asked } from '../../src/vault/asked.ts'
import { performCopy, type Progress } from '../../src/vault/copy_operation.ts'
import type { CopyDone, CopyWork } from '../../src/vault/copy_work.ts'
import { perform } from '../../src/vault/operation.ts'
import { keep, keepAsItCame, type KeptRecord, openRecord, withPasskey } from '../../src/vault/record.ts'
import type { KeySource } from '../../src/vault/work.ts'
import { bytes, codeOf, counted, text } from '../pure/vectors.ts'
import { copyOutMessage } from './copy_request.ts'
import { CENTER, request } from './request.ts'

const CERTIFICATE = bytes('npki-samples/pypinksign/signCert.der')
const KEY_FILE = bytes('npki-samples/pypinksign/signPri.key')
const PFX_FILE = bytes('npki-samples/pypinksign/test.pfx')
const OTHER = bytes('npki-samples/kiea-mydata/signCert.der')
const PASSWORD = 'WTuA8Ev0lWXVFSiI!'
const FILE: KeySource = { kind: 'file', certificate: CERTIFICATE, keyFile: KEY_FILE }
const FINGERPRINT = new Certificate(CERTIFICATE).fingerprintHex
const { challenge } = asked(copyOutMessage(), CENTER, 1000)

type Prove = Extract<CopyWork, { copy: 'prove' }>
type Proved = Extract<CopyDone, { kind: 'proved' }>

function work(source: KeySource, changes: Partial<Prove> = {}): Prove {
  const signingTime = Date.parse('2026-11-22T10:00:30Z')
  return { copy: 'prove', source, password: text(PASSWORD), challenge, signingTime, bound: [FINGERPRINT], ...changes }
}

const nothing = (): Progress => ({ opened: false, certificate: null })

async function proved(asked: Prove): Promise<Proved> {
  const done = await performCopy(asked, nothing())
  assert.ok(done.kind === 'proved')
  return done
}

test('A19 the copy-out challenge is signed as the vault builds it, with the hash of what names the receiver', async () => {
  const { signed } = await proved(work(FILE))
  const content = challengeText(challenge, CERTIFICATE, null)
  assert.ok(Buffer.from(content).includes(`body: ${challenge.body}`))
  assert.ok(Buffer.from(signed).includes(Buffer.from(content)))
  assert.ok(Buffer.from(signed).includes(new X509Certificate(CERTIFICATE).raw))
})

test('C11 the key file leaves byte for byte: from files, from a record, and from one that a passkey opened', async () => {
  assert.deepEqual((await proved(work(FILE))).keyFile, KEY_FILE)
  const record = await keep(CERTIFICATE, KEY_FILE, text(PASSWORD), 1000, counted(1))
  assert.deepEqual((await proved(work({ kind: 'record', record }))).keyFile, KEY_FILE)
  const prf = new Uint8Array(32).fill(5)
  const key = await openKey(KEY_FILE, text(PASSWORD))
  const passkey = { credential: Uint8Array.of(1), salt: new Uint8Array(32), prf }
  const unlocked: KeptRecord = await withPasskey(record, text(PASSWORD), key.pkcs8, passkey)
  const by = work({ kind: 'record', record: unlocked }, { password: new Uint8Array(0), prf: prf.slice() })
  assert.deepEqual((await proved(by)).keyFile, KEY_FILE)
})

test('C11 a PFX leaves with its PKCS#8 unchanged, R included, under the same password', async () => {
  const { keyFile, certificate } = await proved(work({ kind: 'pfx', pfx: PFX_FILE }))
  const [one, other] = [await openKey(keyFile, text(PASSWORD)), (await openPfx(PFX_FILE, text(PASSWORD))).key]
  assert.deepEqual(one.pkcs8, other.pkcs8)
  assert.notEqual(one.random, null)
  assert.deepEqual(certificate, CERTIFICATE)
})

test('M-COPY-10 only a registered certificate leaves, also out of a PFX that shows it late', async () => {
  for (const source of [FILE, { kind: 'pfx', pfx: PFX_FILE } as const]) {
    const told = nothing()
    const refused = work(source, { bound: ['0'.repeat(64)] })
    assert.equal(await codeOf(() => performCopy(refused, told)), 'copy-not-registered')
    assert.deepEqual(told, { opened: true, certificate: CERTIFICATE })
  }
})

test('a wrong password, and a key of another certificate, are told apart before anything is signed', async () => {
  const told = nothing()
  assert.equal(await codeOf(() => performCopy(work(FILE, { password: text('wrong') }), told)), 'wrong-password')
  assert.equal(told.opened, false)
  const bound = [new Certificate(OTHER).fingerprintHex]
  const crossed = work({ ...FILE, certificate: OTHER }, { bound })
  assert.equal(await codeOf(() => performCopy(crossed, told)), 'key-mismatch')
})

test('A19 a challenge of another purpose is never signed here', async () => {
  const other = work(FILE, { challenge: request().challenge })
  assert.equal(await codeOf(() => performCopy(other, nothing())), 'defect')
})

test('C14 the test on the receiving device says whether password, key and certificate fit, and seals the record', async () => {
  const record = await keepAsItCame(CERTIFICATE, KEY_FILE, counted(1))
  const done = await performCopy({ copy: 'try', record, password: text(PASSWORD) }, nothing())
  assert.ok(done.kind === 'tried' && done.raise !== null)
  assert.deepEqual(done.raise.slots.map((slot) => slot.kind), ['password'])
  assert.deepEqual((await openRecord(done.raise, text(PASSWORD))).keyFile, KEY_FILE)
  const wrong = { copy: 'try', record, password: text('wrong') } as const
  assert.equal(await codeOf(() => performCopy(wrong, nothing())), 'wrong-password')
  const crossed = await keepAsItCame(OTHER, KEY_FILE, counted(1))
  const mismatch = { copy: 'try', record: crossed, password: text(PASSWORD) } as const
  assert.equal(await codeOf(() => performCopy(mismatch, nothing())), 'key-mismatch')
})

test('B6 the first signature with a copied certificate seals its record, too', async () => {
  const record = await keepAsItCame(CERTIFICATE, KEY_FILE, counted(1))
  const signing = { challenge: request().challenge, signingTime: 0, sealFor: null, keep: false }
  const work = { source: { kind: 'record', record } as const, password: text(PASSWORD), ...signing }
  const { raise } = await perform(work, () => Promise.reject(new Error('not asked')), { opened: false })
  assert.deepEqual(raise?.slots.map((slot) => slot.kind), ['password'])
  assert.equal(raise.id, record.id)
})
