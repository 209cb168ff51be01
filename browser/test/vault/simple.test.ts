/** 간편비밀번호 and 생체 as slots of a record, what the page gets to see of a PIN, and what stays (security B6, B8, B9). */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ed25519, ristretto255_oprf } from '@noble/curves/ed25519.js'
import { blind, finalize } from '../../src/pure/oprf.ts'
import { Certificate } from '../../src/pure/npki/certificate.ts'
import { openKey } from '../../src/pure/npki/key_file.ts'
import { same } from '../../src/pure/octets.ts'
import { proofText } from '../../src/pure/pin.ts'
import { asked } from '../../src/vault/asked.ts'
import { performCopy, type Progress as Copied } from '../../src/vault/copy_operation.ts'
import { perform, type Told } from '../../src/vault/operation.ts'
import { Managing, type Progress } from '../../src/vault/managing.ts'
import type { ManageStep } from '../../src/vault/manage_work.ts'
import { fromCenter, fromVault, written } from '../../src/vault/messages.ts'
import { NOTHING, type PinRequest } from '../../src/vault/pin_messages.ts'
import {
  keep, keepAsItCame, type KeptRecord, openByPasskey, openByPin, openRecord, passkeySlot, pinInput, pinSlot, sameRecord, without,
  withPassword,
} from '../../src/vault/record.ts'
import { bytes, codeOf, counted, json, text } from '../pure/vectors.ts'
import { copyOutMessage } from './copy_request.ts'
import { CENTER, request } from './request.ts'

const VECTORS = json<{ certificate: string; password: string; cases: readonly { key_file: string }[] }>('management/keys.json')
const CERTIFICATE = bytes(VECTORS.certificate)
const KEY_FILE = new Uint8Array(Buffer.from(VECTORS.cases[0]!.key_file, 'base64'))
const PASSWORD = VECTORS.password
const NEW = 'Silver#tide-8241q'
const PIN = '471903'
const SEED = counted(5)(32)
const HANDLE = 'ab'.repeat(16)
const PROOF = proofText('http://localhost:8700', HANDLE, 3)
const PASSKEY = { credential: counted(1)(16), salt: counted(2)(32), prf: counted(3)(32) }

/** What a PIN becomes for a record under a key of the center. */
function stretched(record: KeptRecord, pin: string, key: Uint8Array): Uint8Array {
  const input = pinInput(record, text(pin))
  const { blind: scalar, element } = blind(input)
  return finalize(input, scalar, ristretto255_oprf.oprf.blindEvaluate(key, element))
}

async function slotted(record: KeptRecord, step: (source: { kind: 'record'; record: KeptRecord }) => ManageStep): Promise<KeptRecord> {
  const told: Progress = { opened: false, certificate: null }
  const done = await new Managing(1).perform(step({ kind: 'record', record }), told)
  assert.equal(done.kind, 'slotted')
  return (done as { record: KeptRecord }).record
}

function setPin(record: KeptRecord, key: Uint8Array): Promise<KeptRecord> {
  const pin = { handle: HANDLE, output: stretched(record, PIN, key), seed: SEED.slice() }
  return slotted(record, (source) => ({ manage: 'pin', source, password: text(PASSWORD), pin }))
}

const key = (): Uint8Array => ristretto255_oprf.oprf.generateKeyPair().secretKey

test('B8 a PIN opens the record with the center’s key alone; another PIN, key or record does not', async () => {
  const [mine, plain] = [key(), await keep(CERTIFICATE, KEY_FILE, text(PASSWORD), 1)]
  const record = await setPin(plain, mine)
  const opened = await openByPin(record, stretched(record, PIN, mine), PROOF)
  assert.ok(same(opened.pkcs8, (await openKey(KEY_FILE, text(PASSWORD))).pkcs8))
  assert.ok(same(opened.keyFile, KEY_FILE))
  assert.ok(ed25519.verify(opened.proved, PROOF, ed25519.getPublicKey(SEED)))
  for (const output of [stretched(record, '471904', mine), stretched(record, PIN, key()), new Uint8Array(64)]) {
    assert.equal(await codeOf(() => openByPin(record, output, PROOF)), 'wrong-pin')
  }
  const other = await keep(CERTIFICATE, KEY_FILE, text(PASSWORD), 1)
  assert.ok(!same(stretched(record, PIN, mine), stretched(other, PIN, mine)))
  const moved = { ...other, slots: [...other.slots, pinSlot(record)!] }
  assert.equal(await codeOf(() => openByPin(moved, stretched(record, PIN, mine), PROOF)), 'wrong-pin')
  assert.equal(await codeOf(() => openByPin(plain, stretched(record, PIN, mine), PROOF)), 'record-damaged')
})

test('B8 what lies in the record is drawn at random, or sealed under what the PIN and the center’s key give together', async () => {
  const record = await setPin(await keep(CERTIFICATE, KEY_FILE, text(PASSWORD), 1), key())
  const slot = pinSlot(record)!
  // Everything that the slot holds is drawn at random or sealed under a key that the OPRF gives.
  assert.deepEqual(Object.keys(slot).sort(), ['handle', 'kind', 'nonce', 'rounds', 'salt', 'sealed'])
  for (const guess of [text(PIN), pinInput(record, text(PIN))]) {
    assert.equal(await codeOf(() => openByPin(record, guess, PROOF)), 'wrong-pin')
  }
})

test('B8 the password slot stays, whatever is set and taken away, and a new password leaves the PIN', async () => {
  const [mine, plain] = [key(), await keep(CERTIFICATE, KEY_FILE, text(PASSWORD), 1)]
  const record = await setPin(plain, mine)
  assert.ok(same((await openRecord(record, text(PASSWORD), 1)).keyFile, KEY_FILE))
  const changed = await withPassword(record, text(PASSWORD), text(NEW), 1)
  assert.equal((await openByPin(changed, stretched(changed, PIN, mine), PROOF)).proved.length, 64)
  const again = await setPin(record, key())
  assert.deepEqual(again.slots.map(({ kind }) => kind), ['password', 'pin'])
  assert.equal(await codeOf(() => openByPin(again, stretched(again, PIN, mine), PROOF)), 'wrong-pin')
  assert.ok(sameRecord(without(again, 'pin'), plain))
})

test('B8 B9 a copied or imported certificate gets its slots only under its password', async () => {
  const record = await keepAsItCame(CERTIFICATE, KEY_FILE)
  const pin = { handle: HANDLE, output: counted(4)(64), seed: SEED.slice() }
  const source = { kind: 'record', record } as const
  const told: Progress = { opened: false, certificate: null }
  const wrong: ManageStep[] = [
    { manage: 'pin', source, password: text('wrong-one-1!'), pin },
    { manage: 'passkey', source, password: text('wrong-one-1!'), passkey: PASSKEY },
  ]
  for (const step of wrong) assert.equal(await codeOf(() => new Managing(1).perform(step, told)), 'wrong-password')
  const made = await setPin(record, key())
  assert.deepEqual(made.slots.map(({ kind }) => kind), ['password', 'pin'])
  const both = await slotted(made, (from) => ({ manage: 'passkey', source: from, password: text(PASSWORD), passkey: PASSKEY }))
  assert.deepEqual(both.slots.map(({ kind }) => kind), ['password', 'pin', 'passkey'])
})

test('B9 a passkey is added under the password, opened once before it counts, and taken away alone', async () => {
  const plain = await keep(CERTIFICATE, KEY_FILE, text(PASSWORD), 1)
  const record = await slotted(plain, (source) => ({ manage: 'passkey', source, password: text(PASSWORD), passkey: PASSKEY }))
  assert.ok(passkeySlot(record) !== null)
  assert.ok(same((await openByPasskey(record, PASSKEY.prf)).keyFile, KEY_FILE))
  assert.ok(sameRecord(without(record, 'passkey'), plain))
  const files = { kind: 'file', certificate: CERTIFICATE, keyFile: KEY_FILE } as const
  const told: Progress = { opened: false, certificate: null }
  assert.equal(await codeOf(() => new Managing(1).perform({ manage: 'passkey', source: files, password: text(PASSWORD), passkey: PASSKEY }, told)), 'defect')
})

test('B8 a record that differs in its PIN slot is another record', async () => {
  const record = await setPin(await keep(CERTIFICATE, KEY_FILE, text(PASSWORD), 1), key())
  const slot = pinSlot(record)!
  const changes = [{ handle: 'cd'.repeat(16) }, { rounds: 2 }, { salt: counted(9)(16) }, { sealed: slot.sealed.slice(1) }]
  for (const change of changes) {
    const other = { ...record, slots: record.slots.map((each) => (each === slot ? { ...slot, ...change } : each)) }
    assert.ok(!sameRecord(record, other))
  }
  const many = { ...record, slots: [{ ...slot, rounds: 1e9 }] }
  assert.equal(await codeOf(() => openByPin(many, counted(4)(64), PROOF)), 'record-damaged')
})

test('B8 a PIN signs at login and for a copy in the place of the password, and proves that it was right even where the rest fails', async () => {
  const mine = key()
  const record = await setPin(await keep(CERTIFICATE, KEY_FILE, text(PASSWORD), 1), mine)
  const source = { kind: 'record', record } as const
  const fingerprint = new Certificate(CERTIFICATE).fingerprintHex
  const opening = (typed: string): { output: Uint8Array; proof: Uint8Array } => ({ output: stretched(record, typed, mine), proof: PROOF })
  const work = { source, password: new Uint8Array(0), signingTime: Date.parse('2026-11-22T10:00:30Z') }
  const signing = { ...work, challenge: request().challenge, sealFor: null, keep: false }
  const never = (): Promise<Uint8Array> => Promise.reject(new Error('not asked'))
  const told: Told = { opened: false }
  assert.ok((await perform({ ...signing, pin: opening(PIN) }, never, told)).signed.length > 0)
  assert.ok(ed25519.verify(told.proved!, PROOF, ed25519.getPublicKey(SEED)))
  const missed: Told = { opened: false }
  assert.equal(await codeOf(() => perform({ ...signing, pin: opening('471904') }, never, missed)), 'wrong-pin')
  assert.deepEqual(missed, { opened: false })

  const { challenge } = asked(copyOutMessage(), CENTER, 1000)
  const copying: Copied = { opened: false, certificate: null }
  const done = await performCopy({ ...work, copy: 'prove', challenge, bound: [fingerprint], pin: opening(PIN) }, copying)
  assert.ok(done.kind === 'proved' && same(done.keyFile, KEY_FILE))
  assert.equal(copying.proved?.length, 64)
  const elsewhere: Copied = { opened: false, certificate: null }
  const other = { ...work, copy: 'prove', challenge, bound: ['0'.repeat(64)], pin: opening(PIN) } as const
  assert.equal(await codeOf(() => performCopy(other, elsewhere)), 'copy-not-registered')
  assert.equal(elsewhere.proved?.length, 64)
})

const B32 = `${'A'.repeat(43)}=`
const B64 = `${'A'.repeat(86)}==`
const ASKS: readonly PinRequest[] = [
  { act: 'challenge' },
  { act: 'set', nonce: 'a'.repeat(64), element: B32, device: `${'A'.repeat(87)}=`, proves: B32, signature: B64 },
  { act: 'ask', nonce: 'a'.repeat(64), handle: HANDLE, element: B32, signature: B64 },
  { act: 'proved', handle: HANDLE, number: 7, signature: B64 },
  { act: 'remove', nonce: 'a'.repeat(64), handle: HANDLE, signature: B64 },
]

test('B2 B8 the requests of a PIN are a closed list of fixed forms, in which no PIN has a place', async () => {
  for (const ask of ASKS) {
    const message = { kind: 'pin', id: 'x', turn: 1, ask } as const
    assert.deepEqual(fromVault(written(message)), message)
    const changes = [{ pin: PIN }, { password: 'x' }, { act: 'try' }, ...Object.keys(ask).map((name) => ({ [name]: PIN }))]
    for (const change of changes) {
      // A number of a try is a number, and a text of six digits is none.
      assert.equal(await codeOf(async () => fromVault(written({ ...message, ask: { ...ask, ...change } as unknown as PinRequest }))), 'message-refused')
    }
  }
})

test('B2 B8 the center’s answers have one form', async () => {
  const answers = [NOTHING, { ...NOTHING, code: 'pin-gone' }, { ...NOTHING, evaluated: B32, number: 1, left: 4 }, { ...NOTHING, handle: HANDLE, evaluated: B32 }]
  for (const told of answers) {
    const message = { kind: 'pinned', id: 'x', turn: 1, told } as const
    assert.deepEqual(fromCenter(written(message)), message)
  }
  for (const told of [{}, { ...NOTHING, key: 'x' }, { ...NOTHING, left: -1 }, { ...NOTHING, number: '1' }, { ...NOTHING, handle: 'x' }, null]) {
    assert.equal(await codeOf(async () => fromCenter(written({ kind: 'pinned', id: 'x', turn: 1, told } as never))), 'message-refused')
  }
})
