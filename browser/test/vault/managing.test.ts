/** The certificate desk's worker: a password's change, export and import lose no byte of a key (B4, B6, B16, W7). */

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { openKey, sealKey } from '../../src/pure/npki/key_file.ts'
import { openPfxContents, writePfx } from '../../src/pure/npki/pfx.ts'
import { describe } from '../../src/pure/npki/key_file.ts'
import { octets, oid, seq, setOf, tlv, whole } from '../../src/pure/npki/der.ts'
import { same } from '../../src/pure/octets.ts'
import { Managing, type Progress } from '../../src/vault/managing.ts'
import type { ManageDone, ManageStep } from '../../src/vault/manage_work.ts'
import { keep, keepAsItCame, openByPasskey, openRecord, passkeySlot, withPasskey, type KeptRecord } from '../../src/vault/record.ts'
import type { KeySource } from '../../src/vault/work.ts'
import { bytes, codeOf, counted, json, text } from '../pure/vectors.ts'

interface Vectors {
  readonly certificate: string
  readonly password: string
  readonly cases: readonly { readonly key_file: string; readonly has_r: boolean; readonly pkcs8_sha256: string }[]
}
const VECTORS = json<Vectors>('management/keys.json')
const CERTIFICATE = bytes(VECTORS.certificate)
const OLD = VECTORS.password
const NEW = 'Silver#tide-8241q'

function digest(data: Uint8Array): string {
  return createHash('sha256').update(data).digest('hex')
}

async function inside(keyFile: Uint8Array, password: string): Promise<string> {
  return digest((await openKey(keyFile, text(password))).pkcs8)
}

async function done(step: ManageStep, managing = new Managing(1), told: Progress = { opened: false, certificate: null }): Promise<ManageDone> {
  return managing.perform(step, told)
}

function files(of: ManageDone): Record<string, Uint8Array> {
  assert.equal(of.kind, 'files')
  return Object.fromEntries((of as Extract<ManageDone, { kind: 'files' }>).files.map(({ name, bytes: content }) => [name, content]))
}

/** In and out again, by every way that there is. */
async function goesThroughEverything(keyFile: Uint8Array, wanted: string): Promise<void> {
  const source: KeySource = { kind: 'file', certificate: CERTIFICATE, keyFile }
  const imported = await done({ manage: 'import', source, password: text(OLD) })
  assert.equal(imported.kind, 'record')
  const { record } = imported as Extract<ManageDone, { kind: 'record' }>
  assert.ok(same((await openRecord(record, text(OLD), 1)).keyFile, keyFile), 'an import keeps the file as it is')

  const managing = new Managing(1)
  const changed = await done({ manage: 'change', source: { kind: 'record', record }, password: text(OLD), fresh: text(NEW) }, managing)
  assert.equal(changed.kind, 'changed')
  const fresh = (changed as Extract<ManageDone, { kind: 'changed' }>).record
  assert.equal((await done({ manage: 'confirm', record: fresh }, managing)).kind, 'confirmed')
  assert.equal(await inside((await openRecord(fresh, text(NEW), 1)).keyFile, NEW), wanted)

  const kept: KeySource = { kind: 'record', record: fresh }
  const pair = files(await done({ manage: 'export', source: kept, password: text(NEW), wish: { shape: 'pair', strong: false } }))
  assert.ok(same(pair['signCert.der']!, CERTIFICATE))
  assert.equal(await inside(pair['signPri.key']!, NEW), wanted)
  const pfx = files(await done({ manage: 'export', source: kept, password: text(NEW), wish: { shape: 'pfx', strong: false } }))['pfx']!
  const again = await done({ manage: 'import', source: { kind: 'pfx', pfx }, password: text(NEW) })
  const back = (again as Extract<ManageDone, { kind: 'record' }>).record
  assert.equal(await inside((await openRecord(back, text(NEW), 1)).keyFile, NEW), wanted)
}

test('B16 password change, export and import keep every byte of every key of the vectors', async () => {
  for (const { key_file, pkcs8_sha256 } of VECTORS.cases) {
    await goesThroughEverything(new Uint8Array(Buffer.from(key_file, 'base64')), pkcs8_sha256)
  }
})

test('B16 … and of keys with attributes of any content', async () => {
  const first = new Uint8Array(Buffer.from(VECTORS.cases[0]!.key_file, 'base64'))
  const parts = whole((await openKey(first, text(OLD))).pkcs8).sequence().slice(0, 3)
  // A small generator of its own: the same attributes on every run.
  let state = 20261126
  const next = (most: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state % most
  }
  for (let turn = 0; turn < 3; turn += 1) {
    const attributes = Array.from({ length: 1 + next(4) }, (_, at) => {
      const values = Array.from({ length: 1 + next(3) }, () => octets(Uint8Array.from({ length: next(300) }, () => next(256))))
      return seq(oid(`1.3.6.1.4.1.99999.${at}.${next(1000)}`), setOf(values))
    })
    const pkcs8 = seq(...parts.map(({ raw }) => raw), tlv(0xa0, ...attributes))
    const wanted = digest(pkcs8)
    await goesThroughEverything(await sealKey(pkcs8, text(OLD)), wanted)
  }
})

test('B16 the form for keeping is AES-256 with 600,000 rounds, the other one PBES2-SEED with 2048, and both say the same', async () => {
  const keyFile = new Uint8Array(Buffer.from(VECTORS.cases[1]!.key_file, 'base64'))
  const source: KeySource = { kind: 'file', certificate: CERTIFICATE, keyFile }
  const made = async (shape: 'pair' | 'pfx', strong: boolean): Promise<Record<string, Uint8Array>> =>
    files(await done({ manage: 'export', source, password: text(OLD), wish: { shape, strong } }))
  const strong = describe((await made('pair', true))['signPri.key']!)
  assert.deepEqual([strong.variant, strong.iterations, strong.prf], ['pbes2-aes-256', 600_000, 'hmac-sha256'])
  const common = describe((await made('pair', false))['signPri.key']!)
  assert.deepEqual([common.variant, common.iterations], ['pbes2-seed', 2048])
  // The .pfx for keeping is measured in pfx.test.ts; here the same bytes come out of the other one.
  const common_pfx = await openPfxContents((await made('pfx', false))['pfx']!, text(OLD))
  assert.equal(digest(common_pfx.keys[0]!.key.pkcs8), VECTORS.cases[1]!.pkcs8_sha256)
})

test('B16 a pair for encryption that lies beside leaves with the other, and an import says that it stays behind', async () => {
  const pair = async (name: string): Promise<{ certificate: Uint8Array; pkcs8: Uint8Array }> => ({
    certificate: bytes(`npki-samples/kiea-mydata/${name === 'sign' ? 'signCert.der' : 'kmCert.der'}`),
    pkcs8: (await openKey(bytes(`npki-samples/kiea-mydata/${name === 'sign' ? 'signPri.key' : 'kmPri.key'}`), text('11223344'))).pkcs8.slice(),
  })
  const both = [await pair('sign'), await pair('km')]
  const source: KeySource = { kind: 'pfx', pfx: await writePfx(both, text(OLD)) }
  const found = files(await done({ manage: 'export', source, password: text(OLD), wish: { shape: 'pair', strong: false } }))
  assert.deepEqual(Object.keys(found), ['signCert.der', 'signPri.key', 'kmCert.der', 'kmPri.key'])
  assert.equal(await inside(found['kmPri.key']!, OLD), digest(both[1]!.pkcs8))
  const imported = await done({ manage: 'import', source, password: text(OLD) })
  assert.equal((imported as Extract<ManageDone, { kind: 'record' }>).more, true)
})

test('B6 a changed record opens by the new password alone; its passkey opens it as before', async () => {
  const keyFile = new Uint8Array(Buffer.from(VECTORS.cases[2]!.key_file, 'base64'))
  const key = await openKey(keyFile, text(OLD))
  const prf = counted(9)(32)
  const plain = await keep(CERTIFICATE, keyFile, text(OLD), 1)
  const record = await withPasskey(plain, text(OLD), key.pkcs8, { credential: counted(1)(16), salt: counted(2)(32), prf: prf.slice() })
  const changed = await done({ manage: 'change', source: { kind: 'record', record }, password: text(OLD), fresh: text(NEW) })
  const fresh: KeptRecord = (changed as Extract<ManageDone, { kind: 'changed' }>).record
  assert.equal(fresh.id, record.id)
  assert.equal(await codeOf(() => openRecord(fresh, text(OLD), 1)), 'wrong-password')
  assert.ok(passkeySlot(fresh) !== null)
  const opened = await openByPasskey(fresh, prf)
  assert.equal(digest(opened.pkcs8), VECTORS.cases[2]!.pkcs8_sha256)
  assert.equal(await inside(opened.keyFile, NEW), VECTORS.cases[2]!.pkcs8_sha256)
})

test('B6 one that lies as it came gets its slots with the change', async () => {
  const keyFile = new Uint8Array(Buffer.from(VECTORS.cases[3]!.key_file, 'base64'))
  const record = await keepAsItCame(CERTIFICATE, keyFile)
  const changed = await done({ manage: 'change', source: { kind: 'record', record }, password: text(OLD), fresh: text(NEW) })
  const fresh = (changed as Extract<ManageDone, { kind: 'changed' }>).record
  assert.deepEqual(fresh.slots.map(({ kind }) => kind), ['password'])
  assert.equal(await inside((await openRecord(fresh, text(NEW), 1)).keyFile, NEW), VECTORS.cases[3]!.pkcs8_sha256)
})

test('a wrong password and a weak new one change nothing, and a record that is another one is not confirmed', async () => {
  const keyFile = new Uint8Array(Buffer.from(VECTORS.cases[4]!.key_file, 'base64'))
  const source: KeySource = { kind: 'file', certificate: CERTIFICATE, keyFile }
  assert.equal(await codeOf(() => done({ manage: 'change', source, password: text('Wrong#pass-77'), fresh: text(NEW) })), 'wrong-password')
  assert.equal(await codeOf(() => done({ manage: 'change', source, password: text(OLD), fresh: text('short') })), 'cert-password-length')
  const managing = new Managing(1)
  const other = await keep(CERTIFICATE, new Uint8Array(Buffer.from(VECTORS.cases[5]!.key_file, 'base64')), text(OLD), 1)
  const record = await keep(CERTIFICATE, keyFile, text(OLD), 1)
  await done({ manage: 'change', source: { kind: 'record', record }, password: text(OLD), fresh: text(NEW) }, managing)
  assert.equal(await codeOf(() => done({ manage: 'confirm', record: other }, managing)), 'wrong-password')
  assert.equal(await codeOf(() => done({ manage: 'confirm', record: other }, managing)), 'defect')
})

test('a key that is not the certificate’s is told as such after its password', async () => {
  const told: Progress = { opened: false, certificate: null }
  const source: KeySource = { kind: 'file', certificate: bytes('npki-samples/kiea-mydata/signCert.der'), keyFile: new Uint8Array(Buffer.from(VECTORS.cases[0]!.key_file, 'base64')) }
  assert.equal(await codeOf(() => done({ manage: 'try', source, password: text(OLD) }, new Managing(1), told)), 'key-mismatch')
  assert.equal(told.opened, true)
})
