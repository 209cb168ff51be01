/** What the vault makes: the signed text, the CMS message, the sealed R; and the rule for a new password. */

import assert from 'node:assert/strict'
import { createHash, createPublicKey, verify } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { AEAD_AES_256_GCM, CipherSuite, KDF_HKDF_SHA256, KEM_DHKEM_P256_HKDF_SHA256 } from 'hpke'
import { type Challenge, challengeText } from '../../src/pure/challenge.ts'
import { fromHex, join, toHex } from '../../src/pure/octets.ts'
import { sealInfo, sealKeyId, sealRandom } from '../../src/pure/seal.ts'
import { brokenRules, checkNewPassword } from '../../src/pure/npki/cert_password.ts'
import { Certificate } from '../../src/pure/npki/certificate.ts'
import { sign } from '../../src/pure/npki/cms.ts'
import { whole } from '../../src/pure/npki/der.ts'
import { PrivateKey } from '../../src/pure/npki/private_key.ts'
import { bytes, codeOf, json, text } from './vectors.ts'

interface Signed {
  key: string
  certificate: string
  content: string
  purpose: string
  signing_time: string
  signed: string
}
const known = json<Signed>('cms/signed.json')
const certificate = new Certificate(fromHex(known.certificate))
const keyOf = (name: string): PrivateKey => new PrivateKey(bytes(`keys/${name}.p8`))
const signing = { purpose: known.purpose, signingTime: new Date(known.signing_time) }

test('A2 the signed message is byte for byte the one that Python makes', async () => {
  assert.equal(toHex(await sign(text(known.content), certificate, keyOf(known.key), signing)), known.signed)
})

test('A2 exactly five attributes are signed, one value each, in DER order, and as a SET', async () => {
  const message = await sign(text('x'), certificate, keyOf(known.key), signing)
  const fields = whole(message).sequence()[1]!.explicit(0).sequence()
  const signer = fields.at(-1)!.exactly(1, 0x31)[0].sequence()
  const attributes = signer[3]!
  const encoded = attributes.children().map((each) => toHex(each.raw))
  assert.deepEqual(encoded, [...encoded].sort())
  assert.equal(encoded.length, 5)
  for (const attribute of attributes.children()) assert.equal(attribute.sequence()[1]!.sequence(0x31).length, 1)
  assert.ok(encoded.some((each) => each.includes(`0407ffff${toHex(text('login'))}`)))
  const { n, e } = certificate.publicKey
  const jwk = { kty: 'RSA', n: base64url(n), e: base64url(e) }
  const publicKey = createPublicKey({ key: jwk, format: 'jwk' })
  const asSet = join(Uint8Array.of(0x31), attributes.raw.subarray(1))
  assert.ok(verify('sha256', asSet, publicKey, signer[5]!.content))
})

function base64url(number: bigint): string {
  const hex = number.toString(16)
  return Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex').toString('base64url')
}

test('A4 a key that is not the certificate’s signs nothing', async () => {
  assert.equal(await codeOf(() => sign(text('x'), certificate, keyOf('rsa2048-05'), signing)), 'cms-key-mismatch')
})

test('a purpose or an instant that cannot be is a mistake of the caller', async () => {
  for (const purpose of ['', 'Login', 'a b', 'x'.repeat(33)]) {
    await assert.rejects(sign(text('x'), certificate, keyOf(known.key), { ...signing, purpose }), RangeError)
  }
  const never = { ...signing, signingTime: new Date(Number.NaN) }
  await assert.rejects(sign(text('x'), certificate, keyOf(known.key), never), RangeError)
})

const challenge: Challenge = {
  purpose: 'registration',
  origin: 'http://localhost:8700',
  nonce: '0f'.repeat(32),
  issued: '2026-11-22T10:00:00Z',
  expires: '2026-11-22T10:03:00Z',
  session: 'ab'.repeat(32),
  body: null,
}

test('A1 the signed text has ten ASCII lines in fixed order, each ending in LF', () => {
  const sealed = text('sealed')
  const found = Buffer.from(challengeText(challenge, text('certificate'), sealed)).toString('latin1')
  const hash = (value: string): string => createHash('sha256').update(value).digest('hex')
  assert.equal(
    found,
    'INGAM-CHALLENGE/1\npurpose: registration\norigin: http://localhost:8700\n' +
      `nonce: ${'0f'.repeat(32)}\nissued: 2026-11-22T10:00:00Z\nexpires: 2026-11-22T10:03:00Z\n` +
      `session: ${'ab'.repeat(32)}\ncertificate: ${hash('certificate')}\nsealed: ${hash('sealed')}\nbody: -\n`,
  )
})

test('A1 A19 a value that could break out of its line is never signed', () => {
  const wrong: Partial<Record<keyof Challenge, unknown>>[] = [
    { purpose: 'transfer' },
    { origin: 'http://localhost:8700\nnonce: x' },
    { origin: 'javascript:alert(1)' },
    { nonce: '0F'.repeat(32) },
    { nonce: '0f'.repeat(31) },
    { issued: '2026-11-22 10:00:00' },
    { expires: '2026-11-22T10:03:00Z\n' },
    { session: `${'ab'.repeat(32)}\n` },
    { body: '' },
  ]
  for (const change of wrong) {
    assert.throws(() => challengeText({ ...challenge, ...change } as Challenge, text('c'), null), RangeError)
  }
})

test('A15 a sealed R opens only under its key, its challenge and its certificate', async () => {
  const suite = new CipherSuite(KEM_DHKEM_P256_HKDF_SHA256, KDF_HKDF_SHA256, AEAD_AES_256_GCM)
  const pair = await suite.GenerateKeyPair()
  const publicKey = await suite.SerializePublicKey(pair.publicKey)
  const random = fromHex(`031500${'5a'.repeat(20)}`)
  const blob = await sealRandom(publicKey, random, challenge, text('certificate'))
  const keyId = sealKeyId(publicKey)
  assert.equal(Buffer.from(blob.subarray(0, 16)).toString('latin1'), keyId)
  assert.equal(blob.length, 16 + 65 + random.length + 16)
  const open = (info: Uint8Array): Promise<Uint8Array> =>
    suite.Open(pair.privateKey, blob.subarray(16, 81), blob.subarray(81), { info })
  assert.deepEqual(await open(sealInfo(keyId, challenge, text('certificate'))), random)
  for (const info of [
    sealInfo(keyId, challenge, text('another')),
    sealInfo(keyId, { ...challenge, nonce: '10'.repeat(32) }, text('certificate')),
    sealInfo('0'.repeat(16), challenge, text('certificate')),
  ]) {
    await assert.rejects(open(info))
  }
  await assert.rejects(sealRandom(publicKey.subarray(1), random, challenge, text('c')), RangeError)
  await assert.rejects(sealRandom(Uint8Array.of(4, ...new Uint8Array(64)), random, challenge, text('c')))
})

test('the rule for a new password names each part that is broken', async () => {
  for (const [password, codes] of [
    ['Tr0ub4dor&3x', []],
    ['short1!', ['cert-password-length']],
    [`aB1!${'x7'.repeat(27)}`, ['cert-password-length']],
    ['onlyletters!', ['cert-password-kinds']],
    ['비밀번호abx1!xyq', ['cert-password-ascii']],
    ['quote"aX19!qw', ['cert-password-forbidden']],
    ['back\\slash19!', ['cert-password-forbidden']],
    ['aaaX19!qwpe', ['cert-password-sequence']],
    ['abcX19!qwpe', ['cert-password-sequence']],
    ['xcbaX19!qwpe', ['cert-password-sequence']],
    ['x321aX9!qwpe', ['cert-password-sequence']],
    ['', ['cert-password-length', 'cert-password-kinds']],
  ] as const) {
    assert.deepEqual(brokenRules(password), codes, password)
  }
  assert.equal(await codeOf(() => checkNewPassword('abc')), 'cert-password-length')
  assert.deepEqual(checkNewPassword('Tr0ub4dor&3x'), text('Tr0ub4dor&3x'))
})

test('no pure module asks for a document, a window, storage or the network', () => {
  const pure = new URL('../../src/pure/', import.meta.url)
  const names = readdirSync(pure, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'))
  assert.ok(names.length > 30)
  for (const name of names) {
    const source = readFileSync(new URL(name, pure), 'utf8')
    assert.doesNotMatch(source, /\b(document|window|localStorage|indexedDB|fetch|XMLHttpRequest)\b\s*[.(]/)
  }
})
