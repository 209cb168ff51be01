/** SEED, ARIA, triple DES, RC2 and the derivations, over published vectors and against node's own. */

import assert from 'node:assert/strict'
import { createCipheriv, createHash } from 'node:crypto'
import { test } from 'node:test'
import { fromHex, toHex } from '../../src/pure/octets.ts'
import { aria } from '../../src/pure/npki/aria.ts'
import { type BlockCipher, decryptBlocks, encryptCbc, unpad } from '../../src/pure/npki/cbc.ts'
import { tripleDes } from '../../src/pure/npki/des.ts'
import { pbkdf1Sha1 } from '../../src/pure/npki/pbkdf1.ts'
import { rc2 } from '../../src/pure/npki/rc2.ts'
import { seed } from '../../src/pure/npki/seed.ts'
import { json, text } from './vectors.ts'

interface Vectors {
  seed128_ecb: { cases: { key: string; pt: string; ct: string }[] }
  aria_ecb: { pt: string; cases: { key: string; ct: string }[] }
  seed_cbc_pkcs7: { key_ascii: string; iv_ascii: string; pt_ascii: string; ct: string }
  private_key_pbe: { cases: { password: string; salt: string; iterations: number; pbkdf1_dk?: string }[] }
}
const vectors = json<Vectors>('npki-samples/vectors.json')

function bothWays(cipher: BlockCipher, plain: string, encrypted: string): void {
  const block = fromHex(plain)
  cipher.encrypt(block, 0)
  assert.equal(toHex(block), encrypted)
  cipher.decrypt(block, 0)
  assert.equal(toHex(block), plain)
}

for (const each of vectors.seed128_ecb.cases) {
  test(`SEED under ${each.key} (RFC 4269 appendix B)`, () => bothWays(seed(fromHex(each.key)), each.pt, each.ct))
}

for (const each of vectors.aria_ecb.cases) {
  test(`ARIA with ${each.key.length * 4} bits (RFC 5794 appendix A)`, () => {
    bothWays(aria(fromHex(each.key)), vectors.aria_ecb.pt, each.ct)
  })
}

test('SEED-CBC with padding gives the published ciphertext and comes back', () => {
  const { key_ascii: key, iv_ascii: iv, pt_ascii: plain, ct } = vectors.seed_cbc_pkcs7
  const encrypted = encryptCbc(seed(text(key)), text(iv), text(plain))
  assert.equal(toHex(encrypted), ct)
  assert.deepEqual(unpad(decryptBlocks(seed(text(key)), text(iv), encrypted), 16), text(plain))
})

for (const size of [128, 192, 256]) {
  test(`ARIA-${size} agrees with OpenSSL over many blocks`, () => {
    const key = Uint8Array.from({ length: size / 8 }, (_, at) => at * 7)
    const iv = Uint8Array.from({ length: 16 }, (_, at) => 255 - at)
    const plain = Uint8Array.from({ length: 1000 }, (_, at) => at)
    const theirs = createCipheriv(`aria-${size}-cbc`, key, iv)
    const expected = Buffer.concat([theirs.update(plain), theirs.final()])
    assert.equal(toHex(encryptCbc(aria(key), iv, plain)), expected.toString('hex'))
    assert.deepEqual(unpad(decryptBlocks(aria(key), iv, expected), 16), plain)
  })
}

test('triple DES agrees with OpenSSL over many blocks', () => {
  const key = fromHex('0123456789abcdef23456789abcdef01456789abcdef0123')
  const iv = fromHex('fedcba9876543210')
  const plain = Uint8Array.from({ length: 300 }, (_, at) => at)
  const theirs = createCipheriv('des-ede3-cbc', key, iv)
  const expected = Buffer.concat([theirs.update(plain), theirs.final()])
  assert.equal(toHex(encryptCbc(tripleDes(key), iv, plain)), expected.toString('hex'))
  assert.deepEqual(unpad(decryptBlocks(tripleDes(key), iv, expected), 8), plain)
})

test('RC2 decrypts the vectors of RFC 2268 section 5', () => {
  for (const [key, bits, plain, encrypted] of [
    ['0000000000000000', 63, '0000000000000000', 'ebb773f993278eff'],
    ['ffffffffffffffff', 64, 'ffffffffffffffff', '278b27e42e2f0d49'],
    ['3000000000000000', 64, '1000000000000001', '30649edf9be7d2c2'],
    ['88', 64, '0000000000000000', '61a8a244adacccf0'],
    ['88bca90e90875a', 64, '0000000000000000', '6ccf4308974c267f'],
    ['88bca90e90875a7f0f79c384627bafb2', 64, '0000000000000000', '1a807d272bbe5db1'],
    ['88bca90e90875a7f0f79c384627bafb2', 128, '0000000000000000', '2269552ab0f85ca6'],
  ] as const) {
    const block = fromHex(encrypted)
    rc2(fromHex(key), bits).decrypt(block, 0)
    assert.equal(toHex(block), plain)
  }
})

test('PBKDF1 agrees with the published sample and with plain SHA-1 over salts and counts', () => {
  const known = vectors.private_key_pbe.cases.find((each) => each.pbkdf1_dk !== undefined)!
  assert.equal(toHex(pbkdf1Sha1(text(known.password), fromHex(known.salt), known.iterations)), known.pbkdf1_dk)
  for (let turn = 1; turn < 60; turn++) {
    const salt = Uint8Array.from({ length: turn }, (_, at) => at * turn)
    let expected: Uint8Array = Buffer.concat([text('p'.repeat(turn)), salt])
    for (let round = 0; round < turn; round++) expected = createHash('sha1').update(expected).digest()
    assert.equal(toHex(pbkdf1Sha1(text('p'.repeat(turn)), salt, turn)), toHex(expected))
  }
})

test('padding that is wrong in any octet is no padding', () => {
  assert.equal(unpad(fromHex('00'.repeat(16)), 16), null)
  assert.equal(unpad(fromHex(`${'aa'.repeat(15)}11`), 16), null)
  assert.equal(unpad(fromHex(`${'aa'.repeat(13)}020303`), 16), null)
  assert.equal(unpad(fromHex(''), 16), null)
  assert.equal(unpad(fromHex('10'.repeat(16)), 16)?.length, 0)
  assert.equal(unpad(fromHex('09'.repeat(9)), 8), null)
})

test('B11 round keys are overwritten after use', () => {
  const key = (size: number): Uint8Array => new Uint8Array(size).fill(7)
  for (const cipher of [seed(key(16)), aria(key(32)), tripleDes(key(24))]) {
    const before = new Uint8Array(16)
    cipher.encrypt(before, 0)
    cipher.wipe()
    const after = new Uint8Array(16)
    cipher.encrypt(after, 0)
    assert.notEqual(toHex(before), toHex(after))
  }
})
