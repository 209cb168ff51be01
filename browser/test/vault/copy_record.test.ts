/** A copied certificate lies as it came until its password is given here, and then like every other (B6, C11). */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openKey } from '../../src/pure/npki/key_file.ts'
import {
  keep,
  keepAsItCame,
  keyFileAsItCame,
  type KeptRecord,
  liesAsItCame,
  openByPasskey,
  openRecord,
  type OpenSlot,
  type PasswordSlot,
  sameRecord,
  withPasskey,
} from '../../src/vault/record.ts'
import { bytes, codeOf, counted, text } from '../pure/vectors.ts'

const CERTIFICATE = bytes('npki-samples/pypinksign/signCert.der')
const KEY_FILE = bytes('npki-samples/pypinksign/signPri.key')
const PASSWORD = text('WTuA8Ev0lWXVFSiI!')
const FEW = 1000

const copied = (seed = 1): Promise<KeptRecord> => keepAsItCame(CERTIFICATE, KEY_FILE, counted(seed))

test('C11 what came is kept byte for byte, without its password', async () => {
  const record = await copied()
  assert.equal(liesAsItCame(record), true)
  assert.deepEqual(await keyFileAsItCame(record), KEY_FILE)
  assert.deepEqual(record.certificate, CERTIFICATE)
})

test('B6 the first time that the password is given the record gets a DEK and a password slot of its own', async () => {
  const record = await copied()
  const { keyFile, raised } = await openRecord(record, PASSWORD, FEW)
  assert.deepEqual(keyFile, KEY_FILE)
  assert.ok(raised !== null)
  assert.equal(raised.id, record.id)
  assert.deepEqual(raised.slots.map((slot) => slot.kind), ['password'])
  assert.equal((raised.slots[0] as PasswordSlot).rounds, FEW)
  assert.equal(liesAsItCame(raised), false)
  assert.equal(await keyFileAsItCame(raised), null)
  // Nothing of what lay open opens it.
  const { dek } = record.slots[0] as OpenSlot
  const forged: KeptRecord = { ...raised, slots: [{ kind: 'open', dek }] }
  assert.equal(await codeOf(() => keyFileAsItCame(forged)), 'record-damaged')
  assert.deepEqual((await openRecord(raised, PASSWORD, FEW)).keyFile, KEY_FILE)
})

test('B6 without told rounds the first opening seals it with 600,000', async () => {
  const { raised } = await openRecord(await copied(), PASSWORD)
  assert.equal((raised?.slots[0] as PasswordSlot).rounds, 600_000)
})

test('B6 a wrong password never seals it: it would be lost', async () => {
  assert.equal(await codeOf(async () => openRecord(await copied(), text('wrong'), FEW)), 'wrong-password')
})

test('a record that lies open is damaged where a bit, the DEK, its certificate or a further slot is another', async () => {
  const record = await copied()
  const { dek } = record.slots[0] as OpenSlot
  const sealed = record.sealed.slice()
  sealed[9]! ^= 1
  const beside = (await keep(CERTIFICATE, KEY_FILE, PASSWORD, FEW, counted(2))).slots[0]!
  const other = bytes('npki-samples/kiea-mydata/signCert.der')
  const wrong: KeptRecord[] = [
    { ...record, sealed },
    { ...record, certificate: other },
    { ...record, id: '0'.repeat(32) },
    { ...record, slots: [{ kind: 'open', dek: dek.slice(1) }] },
    { ...record, version: 2 },
  ]
  for (const each of wrong) assert.equal(await codeOf(() => openRecord(each, PASSWORD, FEW)), 'record-damaged')
  // Beside a password slot an open one counts for nothing: it cannot take the password's place.
  const both: KeptRecord = { ...record, slots: [...record.slots, beside] }
  assert.equal(liesAsItCame(both), false)
  assert.equal(await codeOf(() => openRecord(both, PASSWORD, FEW)), 'wrong-password')
})

test('B9 a passkey seals it first', async () => {
  const prf = new Uint8Array(32).fill(5)
  const key = await openKey(KEY_FILE, PASSWORD)
  const passkey = { credential: Uint8Array.of(1), salt: new Uint8Array(32), prf }
  const record = await withPasskey(await copied(), PASSWORD, key.pkcs8, passkey)
  assert.deepEqual(record.slots.map((slot) => slot.kind), ['password', 'passkey'])
  assert.deepEqual((await openByPasskey(record, prf)).keyFile, KEY_FILE)
})

test('C13 what is read back is compared with the slot that lies open, too', async () => {
  const record = await copied()
  assert.equal(sameRecord(record, structuredClone(record)), true)
  const dek = (record.slots[0] as OpenSlot).dek.slice()
  dek[0]! ^= 1
  assert.equal(sameRecord(record, { ...record, slots: [{ kind: 'open', dek }] }), false)
})
