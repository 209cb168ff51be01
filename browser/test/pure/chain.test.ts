/** What the vault makes sure of before it confirms a certificate, and before it encrypts R for an authority (B10). */

import assert from 'node:assert/strict'
import { generateKeyPairSync, sign } from 'node:crypto'
import { test } from 'node:test'
import { fromHex, toHex } from '../../src/pure/octets.ts'
import { Certificate } from '../../src/pure/npki/certificate.ts'
import { checkEncryption, checkIssued, type Expected, isSpeaker } from '../../src/pure/npki/chain.ts'
import { algorithm, nothing } from '../../src/pure/npki/der.ts'
import { isSignedBy, signatureHash } from '../../src/pure/npki/signature.ts'
import { anchors, at, expected, file, issued, issuing, root } from './issuing_vectors.ts'
import { bytes, codeOf, text } from './vectors.ts'

const check = (der: Uint8Array, changes: Partial<Expected> = {}): Promise<string> =>
  codeOf(() => checkIssued(der, { ...expected(), ...changes }))
const when = (iso: string): { at: Date } => ({ at: new Date(iso) })

test('B10 the certificate that was asked for passes every check', async () => {
  const found = await checkIssued(issued, expected())
  assert.deepEqual(found.der, issued)
  assert.equal(await check(issued, { anchors: anchors.toReversed() }), 'done')
})

for (const { name, fault, der } of file.wrong) {
  test(`B10 a certificate is refused with issued-${fault}: ${name}`, async () => {
    assert.equal(await check(fromHex(der)), `issued-${fault}`)
  })
}

test('B10 what is expected decides: kind, number, end, authorities', async () => {
  const { notAfter } = new Certificate(issued)
  assert.equal(await check(issued, { policies: ['2.25.1'] }), 'issued-policy')
  assert.equal(await check(issued, { policies: [] }), 'issued-policy')
  assert.equal(await check(issued, { idn: '8203152000002' }), 'issued-vid')
  assert.equal(await check(issued, { notAfterAtMost: notAfter }), 'done')
  assert.equal(await check(issued, { notAfterAtMost: new Date(notAfter.getTime() - 1) }), 'issued-lasts-longer')
  assert.equal(await check(issued, { anchors: [] }), 'issued-issuer')
  assert.equal(await check(issued, { anchors: [root] }), 'issued-issuer')
  const stranger = new Certificate(bytes('npki-samples/authorities/KISA_RootCA_4.cer'))
  assert.equal(await check(issued, { anchors: [stranger, issuing] }), 'issued-authority-signature')
  // Without any root the CA itself is the anchor.
  assert.equal(await check(issued, { anchors: [issuing] }), 'done')
})

test('B10 the instant decides: the certificate, its CA and its root', async () => {
  const { notBefore, notAfter } = new Certificate(issued)
  const shifted = (from: Date, ms: number): { at: Date } => ({ at: new Date(from.getTime() + ms) })
  assert.equal(await check(issued, shifted(notAfter, 0)), 'done')
  assert.equal(await check(issued, shifted(notAfter, 1000)), 'issued-expired')
  // The clocks of two servers differ by minutes (D9).
  assert.equal(await check(issued, shifted(notBefore, -300_000)), 'done')
  assert.equal(await check(issued, shifted(notBefore, -301_000)), 'issued-not-yet-valid')
  assert.equal(await check(issued, when('2036-06-01T00:00:00Z')), 'issued-authority')
})

test('B10 no flipped octet of a certificate passes', async () => {
  for (let place = 0; place < issued.length; place += 3) {
    const broken = issued.slice()
    broken[place]! ^= 1 << (place % 8)
    assert.match(await check(broken), /^issued-/)
  }
})

test('R is encrypted for the authority of this page, now, and for nothing but an encryption certificate', async () => {
  const encryption = fromHex(file.encryption)
  const code = (der: Uint8Array, given = anchors, now = at): Promise<string> =>
    codeOf(() => checkEncryption(der, given, now))
  assert.equal(await code(encryption), 'done')
  assert.equal(await code(encryption, [root]), 'encryption-certificate')
  assert.equal(await code(encryption, anchors, new Date('2040-01-01T00:00:00Z')), 'encryption-certificate')
  for (const other of [issued, issuing.der, fromHex(file.speaker), encryption.subarray(1)]) {
    assert.equal(await code(other), 'encryption-certificate')
  }
  const flipped = encryption.slice()
  flipped[flipped.length - 1]! ^= 1
  assert.equal(await code(flipped), 'encryption-certificate')
})

test('only the certificate for it speaks for the authority', async () => {
  const speaks = (der: Uint8Array, given = anchors): Promise<boolean> => isSpeaker(new Certificate(der), given, at)
  assert.ok(await speaks(fromHex(file.speaker)))
  assert.ok(!(await speaks(fromHex(file.speaker), [root])))
  for (const other of [issued, issuing.der, root.der, fromHex(file.encryption)]) assert.ok(!(await speaks(other)))
})

const ECDSA = ['1.2.840.10045.4.3.2', '1.2.840.10045.4.3.3', '1.2.840.10045.4.3.4']

for (const [curve, number] of [
  ['P-256', 0],
  ['P-384', 1],
  ['P-256', 2],
] as const) {
  test(`a signature of ${curve} with SHA-${[256, 384, 512][number]} is verified`, async () => {
    const pair = generateKeyPairSync('ec', { namedCurve: curve })
    const spki = new Uint8Array(pair.publicKey.export({ type: 'spki', format: 'der' }))
    const identifier = algorithm(ECDSA[number]!, nothing)
    for (let round = 0; round < 20; round++) {
      const message = text(`message ${round}`)
      const signature = new Uint8Array(sign(`sha${[256, 384, 512][number]}`, message, pair.privateKey))
      assert.ok(await isSignedBy(spki, identifier, signature, message))
      assert.ok(!(await isSignedBy(spki, identifier, signature, text('another'))))
      assert.ok(!(await isSignedBy(issuing.spki, identifier, signature, message)))
      assert.ok(!(await isSignedBy(spki, algorithm(ECDSA[number]!), signature, message)))
      assert.ok(!(await isSignedBy(spki, identifier, signature.subarray(1), message)))
    }
  })
}

test('weak and unknown algorithms sign nothing', async () => {
  const found = new Certificate(issued)
  const sha1 = algorithm('1.2.840.113549.1.1.5')
  assert.ok(await isSignedBy(issuing.spki, found.signatureAlgorithm, found.signature, found.tbs))
  assert.ok(!(await isSignedBy(issuing.spki, sha1, found.signature, found.tbs)))
  assert.deepEqual([signatureHash(sha1), signatureHash(found.signatureAlgorithm)], [null, 'SHA-256'])
  assert.equal(toHex(found.spki).length, 2 * 294)
})

test('a key of 1024 bits has signed nothing', async () => {
  const pair = generateKeyPairSync('rsa', { modulusLength: 1024 })
  const spki = new Uint8Array(pair.publicKey.export({ type: 'spki', format: 'der' }))
  const identifier = algorithm('1.2.840.113549.1.1.11')
  const signature = new Uint8Array(sign('sha256', text('x'), pair.privateKey))
  assert.ok(!(await isSignedBy(spki, identifier, signature, text('x'))))
})
