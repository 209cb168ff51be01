/** PFX files: the public sample, our own, BER forms, and every way to refuse. */

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { indexOf, join, toHex } from '../../src/pure/octets.ts'
import { toDer } from '../../src/pure/npki/ber.ts'
import { Certificate } from '../../src/pure/npki/certificate.ts'
import { type Element, whole } from '../../src/pure/npki/der.ts'
import { openKey } from '../../src/pure/npki/key_file.ts'
import { looksLikePfx, openPfx, openPfxContents, pairsOf, type PlainPair, writePfx } from '../../src/pure/npki/pfx.ts'
import { bytes, codeOf, counted, text } from './vectors.ts'

const PASSWORD = 'ingam-Test#2026'
const sample = bytes('npki-samples/pypinksign/test.pfx')
const samplePassword = text('WTuA8Ev0lWXVFSiI!')

async function pair(folder: string, key: string, certificate: string, password: string): Promise<PlainPair> {
  const opened = await openKey(bytes(`npki-samples/${folder}/${key}`), text(password))
  return { certificate: bytes(`npki-samples/${folder}/${certificate}`), pkcs8: opened.pkcs8.slice() }
}
const signPair = await pair('kiea-mydata', 'signPri.key', 'signCert.der', '11223344')
const kmPair = await pair('kiea-mydata', 'kmPri.key', 'kmCert.der', '11223344')

test('the public sample opens with R, and belongs to its certificate', async () => {
  const { key, certificate } = await openPfx(sample, samplePassword)
  const known = await openKey(bytes('npki-samples/pypinksign/signPri.key'), samplePassword)
  assert.deepEqual(key.pkcs8, known.pkcs8)
  assert.notEqual(key.random, null)
  key.requireMatch(certificate.publicKey)
})

test('a wrong password is told apart from a damaged file', async () => {
  assert.equal(await codeOf(() => openPfx(sample, text('wrong'))), 'wrong-password')
  assert.equal(await codeOf(() => openPfx(sample.subarray(0, -1), samplePassword)), 'pfx-damaged')
  const altered = sample.slice()
  altered[sample.length - 60]! ^= 1
  assert.equal(await codeOf(() => openPfx(altered, samplePassword)), 'pfx-damaged')
})

for (const forBackup of [false, true]) {
  const what = forBackup ? 'for backup' : 'for other programs'
  test(`B16 what is written ${what} opens again, R and attributes unchanged`, async () => {
    const how = { others: [bytes('npki-samples/authorities/SignKorea_CA4.cer')], forBackup, random: counted(3) }
    const file = await writePfx([signPair, kmPair], text(PASSWORD), how)
    assert.ok(looksLikePfx(file))
    const contents = await openPfxContents(file, text(PASSWORD))
    assert.deepEqual(contents.keys.map(({ key }) => toHex(key.pkcs8)), [toHex(signPair.pkcs8), toHex(kmPair.pkcs8)])
    assert.equal(contents.certificates.length, 3)
    assert.deepEqual(contents.keys[0]!.localKeyId, new Certificate(signPair.certificate).subjectKeyId)
    assert.deepEqual(pairsOf(contents)[0]!.certificate.der, signPair.certificate)
    if (!forBackup) assert.equal(await codeOf(() => openPfx(file, text('another'))), 'wrong-password')
    const strong = indexOf(file, Uint8Array.of(0x02, 0x03, 0x09, 0x27, 0xc0)) > 0
    assert.equal(strong, forBackup, '600,000 rounds')
  })
}

test('the signing pair is chosen, and the key for encryption is wiped', async () => {
  const file = await writePfx([kmPair, signPair], text(PASSWORD))
  const { key, certificate } = await openPfx(file, text(PASSWORD))
  assert.ok(certificate.keyUsage!.has('digitalSignature'))
  assert.deepEqual(key.pkcs8, signPair.pkcs8)
})

test('a PFX whose key and certificate do not belong together is a mismatch', async () => {
  const file = await writePfx([{ ...signPair, certificate: kmPair.certificate }], text(PASSWORD))
  assert.equal(await codeOf(() => openPfx(file, text(PASSWORD))), 'key-mismatch')
})

test('a PFX without a MAC, without a key, and one that is too large are refused', async () => {
  const withoutMac = whole(await writePfx([signPair], text(PASSWORD))).sequence()
  const bare = join(...withoutMac.slice(0, 2).map((each) => each.raw))
  const unprotected = join(Uint8Array.of(0x30, 0x82, bare.length >> 8, bare.length & 0xff), bare)
  assert.equal(await codeOf(() => openPfx(unprotected, text(PASSWORD))), 'pfx-unprotected')
  const keyless = await writePfx([], text(PASSWORD), { others: [signPair.certificate] })
  assert.equal(await codeOf(() => openPfx(keyless, text(PASSWORD))), 'pfx-without-key')
  assert.equal(await codeOf(() => openPfx(new Uint8Array(70_000), text(PASSWORD))), 'key-too-large')
  assert.equal(await codeOf(() => openPfx(signPair.certificate, text(PASSWORD))), 'pfx-damaged')
})

/** Every constructed element with an indefinite length. */
function indefinite(one: Element): Uint8Array {
  if ((one.tag & 0x20) === 0) return one.raw
  return join(Uint8Array.of(one.tag, 0x80), ...one.children().map(indefinite), Uint8Array.of(0, 0))
}

test('a PFX in BER with indefinite lengths opens', async () => {
  const file = indefinite(whole(sample))
  assert.deepEqual(toDer(file), sample)
  const { key } = await openPfx(file, samplePassword)
  assert.notEqual(key.random, null)
})

test('hostile nesting is refused in bounded time', async () => {
  const deep = join(...Array.from({ length: 20_000 }, () => Uint8Array.of(0x30, 0x80)))
  const started = performance.now()
  assert.equal(await codeOf(() => openPfx(deep, text(PASSWORD))), 'pfx-damaged')
  assert.ok(performance.now() - started < 500)
})

test('every flipped octet of the outside is refused with a code of its own kind', async () => {
  const file = await writePfx([signPair], text(PASSWORD), { random: counted(1) })
  const allowed = ['done', 'pfx-damaged', 'pfx-unprotected', 'wrong-password', 'key-variant-unknown', 'key-iterations']
  for (let at = 0; at < file.length; at += 97) {
    const flipped = file.slice()
    flipped[at]! ^= 0x11
    const code = await codeOf(() => openPfx(flipped, text(PASSWORD)))
    assert.ok([...allowed, 'key-damaged', 'key-mismatch', 'pfx-without-key'].includes(code), `${at}: ${code}`)
  }
})

test('the same randomness gives the same file', async () => {
  const once = await writePfx([signPair], text(PASSWORD), { random: counted(9) })
  const again = await writePfx([signPair], text(PASSWORD), { random: counted(9) })
  assert.equal(createHash('sha256').update(once).digest('hex'), createHash('sha256').update(again).digest('hex'))
})
