/** A key made on the device: R in it, sealed as others read it, its R encrypted for the authority alone. */

import assert from 'node:assert/strict'
import { createPrivateKey, privateDecrypt, constants, createHash } from 'node:crypto'
import { test } from 'node:test'
import { fromHex, indexOf, toHex } from '../../src/pure/octets.ts'
import { Certificate } from '../../src/pure/npki/certificate.ts'
import { algorithm, bits, integer, seq, whole } from '../../src/pure/npki/der.ts'
import { DUMMY_IDN, encryptVid, pkcs1, writeContent } from '../../src/pure/npki/encrypted_vid.ts'
import { describe, openKey, sealKey } from '../../src/pure/npki/key_file.ts'
import { makeKey, sameKey, spkiHash, spkiOf, withRandom } from '../../src/pure/npki/new_key.ts'
import { PrivateKey } from '../../src/pure/npki/private_key.ts'
import { computeVid } from '../../src/pure/npki/vid.ts'
import { file, issued, ownKey } from './issuing_vectors.ts'
import { bytes, codeOf, counted, text } from './vectors.ts'

const encryption = new Certificate(fromHex(file.encryption))
const opener = createPrivateKey({
  key: Buffer.from(bytes(`keys/${file.encryption_key}.p8`)),
  format: 'der',
  type: 'pkcs8',
})

for (const size of [2048, 3072] as const) {
  test(`a key of ${size} bits is made with R, and no two are the same`, async () => {
    const key = await makeKey({ bits: size, random: counted(1) })
    assert.deepEqual([key.bits, key.e], [size, 65537n])
    assert.deepEqual(whole(key.random!).bits(), counted(1)(20))
    const { key: pkcs8, attributes } = { key: key.pkcs8, attributes: key.attributes! }
    assert.equal(whole(pkcs8).sequence()[0]!.integer(), 0n)
    assert.equal(whole(attributes).sequence(0xa0).length, 1)
    assert.ok(!sameKey(key, await makeKey({ bits: size, random: counted(1) })))
  })
}

test('R is fresh with every key', async () => {
  const [one, other] = [await makeKey(), await makeKey()]
  assert.equal(whole(one.random!).bits().length, 20)
  assert.notDeepEqual(one.random, other.random)
})

test('the SubjectPublicKeyInfo is the one in the certificate, and its hash what the center registers', () => {
  const key = ownKey()
  assert.deepEqual(spkiOf(key), new Certificate(issued).spki)
  assert.equal(spkiHash(key), file.spki)
  assert.equal(spkiHash(key), createHash('sha256').update(spkiOf(key)).digest('hex'))
})

test('what the platform hung on to a key is left out', () => {
  const bare = bytes('keys/rsa2048-05.p8')
  const [version, kind, key] = whole(bare).exactly(3)
  const attributes = fromHex('a00d300b0603551d0f310403020010')
  const exported = seq(version.raw, kind.raw, key.raw, attributes)
  assert.deepEqual(withRandom(exported, counted(3)(20)), withRandom(bare, counted(3)(20)))
})

test('B16 it is sealed as every agent reads it, and opens to the very same bytes', async () => {
  const key = ownKey()
  const sealed = await sealKey(key.pkcs8, text('ingam-Test#2026'))
  const { variant, iterations, prf } = describe(sealed)
  assert.deepEqual([variant, iterations, prf], ['pbes2-seed', 2048, 'hmac-sha1'])
  const opened = await openKey(sealed, text('ingam-Test#2026'))
  assert.ok(sameKey(key, opened))
  assert.ok(!sameKey(key, new PrivateKey(withRandom(key.pkcs8, counted(9)(20)))))
  assert.equal(await codeOf(() => openKey(sealed, text('ingam-Test#2027'))), 'wrong-password')
})

for (const padding of ['oaep', 'pkcs1'] as const) {
  test(`R reaches the authority by ${padding}, with the VID of the dummy number`, async () => {
    const { random } = ownKey()
    const made = await encryptVid(encryption, random!, padding)
    const [hash, kind, named, sealed] = whole(made).sequence()
    assert.deepEqual(hash!.explicit(1).raw, algorithm('2.16.840.1.101.3.4.2.1'))
    const scheme = `1.2.840.113549.1.1.${padding === 'oaep' ? 7 : 1}`
    assert.equal(kind!.explicit(2).atLeast(1)[0].oid(), scheme)
    assert.deepEqual(named!.explicit(3).raw, seq(encryption.issuer.raw, integer(encryption.serial)))
    const ciphertext = sealed!.explicit(4).content
    assert.equal(ciphertext.length, 256)
    assert.deepEqual(opened(ciphertext, padding), writeContent(computeVid(DUMMY_IDN, random!), random!))
    assert.equal(indexOf(made, whole(random!).bits()), -1)
    assert.notDeepEqual(await encryptVid(encryption, random!, padding), made)
  })
}

function opened(ciphertext: Uint8Array, padding: 'oaep' | 'pkcs1'): Uint8Array {
  if (padding === 'oaep') {
    const how = { key: opener, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' }
    return new Uint8Array(privateDecrypt(how, ciphertext))
  }
  // Without padding, so that every octet of the block is seen (RFC 8017 §7.2.1).
  const block = new Uint8Array(privateDecrypt({ key: opener, padding: constants.RSA_NO_PADDING }, ciphertext))
  const end = block.indexOf(0, 2)
  assert.deepEqual([...block.subarray(0, 2)], [0, 2])
  assert.ok(end - 2 >= 8)
  return block.subarray(end + 1)
}

test('the padding of v1.5 has no zero, whatever the generator gives', () => {
  const numbers = encryption.publicKey
  let calls = 0
  const zeros = (count: number): Uint8Array => {
    calls++
    return new Uint8Array(count).fill(calls % 3 === 0 ? 7 : 0)
  }
  assert.deepEqual(opened(pkcs1(numbers, text('short'), zeros), 'pkcs1'), text('short'))
  assert.deepEqual(opened(pkcs1(numbers, new Uint8Array(0)), 'pkcs1'), new Uint8Array(0))
  assert.deepEqual(opened(pkcs1(numbers, new Uint8Array(245).fill(1)), 'pkcs1'), new Uint8Array(245).fill(1))
  assert.throws(() => pkcs1(numbers, new Uint8Array(246)), RangeError)
})

test('A14 an R of another size is not encrypted', async () => {
  for (const random of [bits(new Uint8Array(19)), bits(new Uint8Array(65)), new Uint8Array(0)]) {
    assert.equal(await codeOf(() => encryptVid(encryption, random, 'oaep')), 'vid-random')
  }
})

test('a certificate for another kind of key encrypts nothing', async () => {
  const speaker = new Certificate(fromHex(file.speaker))
  assert.equal(await codeOf(() => encryptVid(speaker, ownKey().random!, 'pkcs1')), 'cert-key-kind')
  assert.ok(toHex(speaker.spki).includes('2a8648ce3d0201'))
})
