/** Key files of every variant: opened, sealed, given another password; and every refusal of `vectors/refusals`. */

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { toHex } from '../../src/pure/octets.ts'
import { Certificate } from '../../src/pure/npki/certificate.ts'
import { changePassword, describe, openKey, sealKey } from '../../src/pure/npki/key_file.ts'
import { type Prf, type Variant, VARIANTS } from '../../src/pure/npki/pbes.ts'
import { bytes, codeOf, counted, json, text } from './vectors.ts'

interface KeyCase {
  file: string
  password: string
  variant: Variant
  iterations: number
  prf: Prf | null
  bits: number
  pkcs8_sha256: string
  attributes: string
  r: string | null
  random_der: string | null
  modulus_sha256: string
}
interface Refused {
  file: string
  password: string
  code: string
  certificate: string
}
const manifest = json<{ files: KeyCase[]; mismatched: Refused[]; random_refused: Refused[] }>('key-files/manifest.json')
const refusals = json<{ files: Refused[] }>('refusals/manifest.json').files

const sha256 = (data: Uint8Array): string => createHash('sha256').update(data).digest('hex')
const hexOrNull = (data: Uint8Array | null): string | null => (data === null ? null : toHex(data))

for (const each of manifest.files) {
  test(`${each.file} says its variant, opens to the very bytes, and shows R as it is`, async () => {
    const file = bytes(`key-files/${each.file}`)
    const said = describe(file)
    assert.deepEqual([said.variant, said.prf, said.iterations], [each.variant, each.prf, each.iterations])
    const key = await openKey(file, text(each.password))
    assert.equal(sha256(key.pkcs8), each.pkcs8_sha256)
    assert.equal(key.bits, each.bits)
    assert.equal(hexOrNull(key.attributes) ?? '', each.attributes)
    assert.equal(hexOrNull(key.random), each.random_der)
    assert.equal(sha256(Buffer.from(key.n.toString(16), 'hex')), each.modulus_sha256)
  })
}

for (const each of refusals) {
  test(`${each.file} is refused with ${each.code}`, async () => {
    const file = bytes(`refusals/${each.file}`)
    const started = performance.now()
    assert.equal(await codeOf(() => openKey(file, text(each.password))), each.code)
    assert.ok(performance.now() - started < 2000, 'in bounded time')
  })
}

for (const each of manifest.random_refused) {
  test(`${each.file} opens, and its R is refused with ${each.code}`, async () => {
    const key = await openKey(bytes(`key-files/${each.file}`), text(each.password))
    assert.equal(key.hasRandom, true)
    assert.equal(await codeOf(() => key.random), each.code)
  })
}

for (const each of manifest.mismatched) {
  test(`${each.file} does not belong to a certificate of somebody else`, async () => {
    const key = await openKey(bytes(`key-files/${each.file}`), text(each.password))
    const certificate = new Certificate(bytes(`key-files/${each.certificate}`))
    assert.equal(await codeOf(() => key.requireMatch(certificate.publicKey)), each.code)
  })
}

const SAMPLES = [
  ['pypinksign/signPri.key', 'pypinksign/signCert.der', 'WTuA8Ev0lWXVFSiI!'],
  ['kiea-mydata/signPri.key', 'kiea-mydata/signCert.der', '11223344'],
  ['kiea-mydata/kmPri.key', 'kiea-mydata/kmCert.der', '11223344'],
] as const
interface Pbe {
  private_key_pbe: { cases: { file: string; pkcs8_sha256: string; attributes?: string }[] }
}
const published = json<Pbe>('npki-samples/vectors.json').private_key_pbe.cases

for (const [keyPath, certificatePath, password] of SAMPLES) {
  test(`the public sample ${keyPath} opens and belongs to its certificate`, async () => {
    const key = await openKey(bytes(`npki-samples/${keyPath}`), text(password))
    const known = published.find((each) => each.file === keyPath)!
    assert.equal(sha256(key.pkcs8), known.pkcs8_sha256)
    assert.equal(hexOrNull(key.attributes) ?? undefined, known.attributes)
    key.requireMatch(new Certificate(bytes(`npki-samples/${certificatePath}`)).publicKey)
    assert.equal(await codeOf(() => openKey(bytes(`npki-samples/${keyPath}`), text(`${password}x`))), 'wrong-password')
  })
}

const two = manifest.files.find((each) => each.file === 'two-attributes.key')!

for (const variant of VARIANTS) {
  for (const prf of variant.startsWith('pbes2') ? (['hmac-sha1', 'hmac-sha256'] as const) : [null]) {
    test(`${variant} ${prf ?? ''} keeps R and every attribute byte for byte through seal and change`, async () => {
      const plain = (await openKey(bytes(`key-files/${two.file}`), text(two.password))).pkcs8.slice()
      const how = { variant, prf, iterations: 1000, random: counted(7) }
      const sealed = await sealKey(plain, text('one-Password1'), how)
      const { iterations: rounds, ...said } = describe(sealed)
      assert.deepEqual([said.variant, said.prf, rounds], [variant, prf, 1000])
      const changed = await changePassword(sealed, text('one-Password1'), text('an0ther-Password'))
      const again = describe(changed)
      assert.deepEqual([again.variant, again.prf, again.iterations], [variant, prf, 2048])
      assert.deepEqual((await openKey(changed, text('an0ther-Password'))).pkcs8, plain)
      assert.equal(await codeOf(() => openKey(changed, text('one-Password1'))), 'wrong-password')
      assert.equal(await codeOf(() => openKey(changed.subarray(0, -1), text('an0ther-Password'))), 'key-damaged')
    })
  }
}

test('a wrong password is told apart from a damaged file for two hundred passwords', async () => {
  const file = bytes('key-files/a-1.key')
  for (let turn = 0; turn < 200; turn++) {
    assert.equal(await codeOf(() => openKey(file, text(`wrong-${turn}`))), 'wrong-password')
  }
})

test('B11 an opened key is overwritten by wipe, does not print, and signs with a key that stays', async () => {
  const key = await openKey(bytes('key-files/a-2048.key'), text(manifest.files[0]!.password))
  const signing = await key.signingKey()
  assert.deepEqual([signing.extractable, signing.type, [...signing.usages]], [false, 'private', ['sign']])
  for (const shown of [String(key), JSON.stringify({ key }), inspect(key)]) {
    assert.ok(!shown.includes(toHex(key.random!.subarray(3))) && !shown.includes('pkcs8'))
  }
  const { pkcs8, random } = key
  key.wipe()
  assert.ok(pkcs8.every((octet) => octet === 0) && random!.every((octet) => octet === 0))
})

test('H1 no refusal carries bytes of the key, of R or of the password', async () => {
  const secret = 'S3cret-and-unlikely'
  for (const each of refusals) {
    try {
      await openKey(bytes(`refusals/${each.file}`), text(each.code === 'wrong-password' ? secret : each.password))
    } catch (failure) {
      const told = `${inspect(failure, { depth: 9 })} ${JSON.stringify(failure)}`
      assert.ok(!told.includes(secret) && !told.includes(each.password) && !/[0-9a-f]{16}/.test(told), told)
    }
  }
})

test('iterations out of bounds are refused before anything is computed when sealing, too', async () => {
  for (const iterations of [0, -1, 1.5, 1_000_001, Number.NaN]) {
    assert.equal(await codeOf(() => sealKey(new Uint8Array(16), text('x'), { iterations })), 'key-iterations')
  }
})
