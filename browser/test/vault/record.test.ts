/** Kept certificates: sealed, opened, raised, and never the wrong way round (security B6). */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openKey } from '../../src/pure/npki/key_file.ts'
import {
  keep,
  type KeptRecord,
  openByPasskey,
  openRecord,
  type PasswordSlot,
  passkeySlot,
  ROUNDS,
  sameRecord,
  withPasskey,
} from '../../src/vault/record.ts'
import { bytes, codeOf, counted, text } from '../pure/vectors.ts'

const CERTIFICATE = bytes('npki-samples/pypinksign/signCert.der')
const KEY_FILE = bytes('npki-samples/pypinksign/signPri.key')
const PASSWORD = text('WTuA8Ev0lWXVFSiI!')
const FEW = 1000

const kept = (seed = 1, rounds = FEW): Promise<KeptRecord> => keep(CERTIFICATE, KEY_FILE, PASSWORD, rounds, counted(seed))

test('B6 the key file comes back byte for byte', async () => {
  const { keyFile, raised } = await openRecord(await kept(), PASSWORD, FEW)
  assert.deepEqual(keyFile, KEY_FILE)
  assert.equal(raised, null)
})

test('B6 a record without told rounds has 600,000 of them and a 16-byte salt', async () => {
  const record = await keep(CERTIFICATE, KEY_FILE, PASSWORD)
  assert.equal(ROUNDS, 600_000)
  assert.deepEqual(
    (record.slots as PasswordSlot[]).map((slot) => [slot.kind, slot.rounds, slot.salt.length, slot.nonce.length, slot.sealed.length]),
    [['password', 600_000, 16, 12, 48]],
  )
})

test('B6 neither the key file, the password nor the DEK stands in the record', async () => {
  const record = await kept()
  const slots = (record.slots as PasswordSlot[]).flatMap((each) => [each.salt, each.nonce, each.sealed])
  const whole = Buffer.concat([record.nonce, record.sealed, ...slots])
  for (const secret of [KEY_FILE.subarray(60, 92), PASSWORD]) assert.equal(whole.includes(Buffer.from(secret)), false)
})

test('a wrong password is told apart from a damaged record', async () => {
  const record = await kept()
  assert.equal(await codeOf(() => openRecord(record, text('wrong'), FEW)), 'wrong-password')
  const sealed = record.sealed.slice()
  sealed[5]! ^= 1
  assert.equal(await codeOf(() => openRecord({ ...record, sealed }, PASSWORD, FEW)), 'record-damaged')
  assert.equal(await codeOf(() => openRecord({ ...record, slots: [] }, PASSWORD, FEW)), 'record-damaged')
  assert.equal(await codeOf(() => openRecord({ ...record, version: 2 }, PASSWORD, FEW)), 'record-damaged')
})

test('B6 nothing moves between records: id, certificate and version are bound', async () => {
  const [one, other] = [await kept(1), await kept(2)]
  assert.equal(await codeOf(() => openRecord({ ...one, id: other.id }, PASSWORD, FEW)), 'wrong-password')
  const certificate = bytes('npki-samples/kiea-mydata/signCert.der')
  assert.equal(await codeOf(() => openRecord({ ...one, certificate }, PASSWORD, FEW)), 'wrong-password')
  const crossed = { ...one, nonce: other.nonce, sealed: other.sealed }
  assert.equal(await codeOf(() => openRecord(crossed, PASSWORD, FEW)), 'record-damaged')
})

test('B6 a slot of fewer rounds is raised on opening, and the key file stays the same bytes', async () => {
  const record = await kept(1, FEW)
  const { raised } = await openRecord(record, PASSWORD, 2 * FEW)
  assert.ok(raised !== null)
  assert.equal((raised.slots[0] as PasswordSlot).rounds, 2 * FEW)
  assert.deepEqual([raised.id, raised.sealed], [record.id, record.sealed])
  assert.notDeepEqual((raised.slots[0] as PasswordSlot).salt, (record.slots[0] as PasswordSlot).salt)
  assert.deepEqual((await openRecord(raised, PASSWORD, 2 * FEW)).keyFile, KEY_FILE)
})

test('rounds that would keep the machine busy for minutes are refused before counting', async () => {
  const record = await kept()
  const slot = record.slots[0] as PasswordSlot
  for (const rounds of [0, -1, Number.NaN, 10_000_001, Number.POSITIVE_INFINITY]) {
    const altered = { ...record, slots: [{ ...slot, rounds }] }
    assert.equal(await codeOf(() => openRecord(altered, PASSWORD, FEW)), 'record-damaged')
  }
})

test('what is read back equals what was written only when every byte does', async () => {
  const record = await kept()
  assert.equal(sameRecord(record, structuredClone(record)), true)
  assert.equal(sameRecord(record, { ...record, id: '0'.repeat(32) }), false)
  assert.equal(sameRecord(record, { ...record, slots: [] }), false)
  assert.equal(sameRecord(record, { ...record, sealed: record.sealed.slice(1) }), false)
})

test('B8 a PIN slot by itself opens nothing: there is no such slot, and a record without a password slot is refused', async () => {
  const record = await kept()
  const [slot] = record.slots
  const pin = { ...slot!, kind: 'pin' } as unknown as KeptRecord['slots'][number]
  assert.equal(await codeOf(() => openRecord({ ...record, slots: [pin] }, PASSWORD, FEW)), 'record-damaged')
})

test('B9 beside a slot of another kind the password slot always remains, also when it is raised', async () => {
  const record = await kept(1, FEW)
  const passkey = { ...record.slots[0]!, kind: 'passkey' } as unknown as KeptRecord['slots'][number]
  const { raised } = await openRecord({ ...record, slots: [passkey, ...record.slots] }, PASSWORD, FEW + 1)
  assert.deepEqual(raised?.slots.map((slot) => slot.kind), ['passkey', 'password'])
  assert.deepEqual((await openRecord(raised!, PASSWORD, FEW + 1)).keyFile, KEY_FILE)
})

async function withKey(record: KeptRecord, prf: Uint8Array, seed = 7): Promise<KeptRecord> {
  const key = await openKey(KEY_FILE, PASSWORD)
  const passkey = { credential: Uint8Array.of(1, 2, 3), salt: new Uint8Array(32).fill(seed), prf }
  return withPasskey(record, PASSWORD, key.pkcs8, passkey, counted(seed))
}

test('B9 a passkey opens the very key that the password opens, and the password still does', async () => {
  const prf = new Uint8Array(32).fill(5)
  const record = await withKey(await kept(), prf)
  assert.deepEqual(record.slots.map((slot) => slot.kind), ['password', 'passkey'])
  const opened = await openByPasskey(record, prf)
  assert.deepEqual(opened.pkcs8, (await openKey(KEY_FILE, PASSWORD)).pkcs8)
  assert.deepEqual(opened.keyFile, KEY_FILE)
  assert.deepEqual((await openRecord(record, PASSWORD, FEW)).keyFile, KEY_FILE)
})

test('B9 another secret, another record or an altered slot opens nothing', async () => {
  const prf = new Uint8Array(32).fill(5)
  const record = await withKey(await kept(1), prf)
  assert.equal(await codeOf(() => openByPasskey(record, new Uint8Array(32).fill(6))), 'passkey-refused')
  const moved = { ...(await kept(2)), slots: record.slots }
  assert.equal(await codeOf(() => openByPasskey(moved, prf)), 'passkey-refused')
  const slot = passkeySlot(record)!
  const sealed = slot.sealed.slice()
  sealed[40]! ^= 1
  assert.equal(await codeOf(() => openByPasskey({ ...record, slots: [{ ...slot, sealed }] }, prf)), 'passkey-refused')
  assert.equal(await codeOf(async () => openByPasskey(await kept(1), prf)), 'record-damaged')
})

test('B9 a passkey is added with the right password only, and a new one takes the place of the old', async () => {
  const prf = new Uint8Array(32).fill(5)
  const record = await withKey(await kept(), prf)
  const fresh = await withKey(record, new Uint8Array(32).fill(9), 8)
  assert.deepEqual(fresh.slots.map((slot) => slot.kind), ['password', 'passkey'])
  assert.equal(await codeOf(() => openByPasskey(fresh, prf)), 'passkey-refused')
  const passkey = { credential: Uint8Array.of(1), salt: new Uint8Array(32), prf }
  assert.equal(await codeOf(() => withPasskey(record, text('wrong'), KEY_FILE, passkey)), 'wrong-password')
})

test('B12 whether there is a backup is part of what is read back', async () => {
  const record: KeptRecord = { ...(await kept()), backup: 'due' }
  assert.equal(sameRecord(record, structuredClone(record)), true)
  assert.equal(sameRecord(record, { ...record, backup: 'done' }), false)
})
