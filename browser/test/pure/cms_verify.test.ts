/** Signed messages read: every refusal of `vectors/cms`, the forgeries of A2 among them. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromHex } from '../../src/pure/octets.ts'
import { Certificate } from '../../src/pure/npki/certificate.ts'
import { sign } from '../../src/pure/npki/cms.ts'
import { parseSigned, verifySigned } from '../../src/pure/npki/cms_verify.ts'
import { PrivateKey } from '../../src/pure/npki/private_key.ts'
import { bytes, codeOf, json, text } from './vectors.ts'

interface Refusals {
  content: string
  purpose: string
  refusals: { name: string; form: string; hex: string; code: string }[]
}
interface Signed {
  key: string
  certificate: string
  content: string
  purpose: string
  signed: string
  signed_file: string
  plain: string
}
const { content, purpose, refusals } = json<Refusals>('cms/refusals.json')
const right = json<Signed>('cms/signed.json')

const read = async (data: Uint8Array): Promise<unknown> => verifySigned(parseSigned(data), text(content), purpose)

// Forms without signed attributes have no reader in the browser at all (A5).
for (const each of refusals.filter(({ form }) => form === 'signed')) {
  test(`A3 ${each.name} is refused with ${each.code}`, async () => {
    assert.equal(await codeOf(() => read(fromHex(each.hex))), each.code)
  })
}

test('A2 the right message is verified and tells who and when', async () => {
  const found = await verifySigned(parseSigned(fromHex(right.signed)), text(right.content), right.purpose)
  assert.deepEqual(found.certificate.der, fromHex(right.certificate))
  assert.equal(found.signingTime.toISOString(), '2026-11-22T10:00:00.000Z')
})

test('A2 what the vault signs is verified, for its purpose and its content only', async () => {
  const certificate = new Certificate(fromHex(right.certificate))
  const key = new PrivateKey(bytes(`keys/${right.key}.p8`))
  const signing = { purpose: 'rebind', signingTime: new Date('2050-01-01T00:00:00Z') }
  const parsed = parseSigned(await sign(text('x'), certificate, key, signing))
  assert.equal((await verifySigned(parsed, text('x'), 'rebind')).signingTime.getUTCFullYear(), 2050)
  assert.equal(await codeOf(() => verifySigned(parsed, text('x'), 'login')), 'cms-context')
  assert.equal(await codeOf(() => verifySigned(parsed, text('y'), 'rebind')), 'cms-content')
})

test('A5 a signed file and a plain message are no challenge', async () => {
  assert.equal(await codeOf(() => read(fromHex(right.signed_file))), 'cms-content-type')
  assert.equal(await codeOf(() => read(fromHex(right.plain))), 'cms-no-signed-attributes')
})

test('A3 every flipped octet of a message is refused', async () => {
  const message = fromHex(right.signed)
  for (let at = 0; at < message.length; at += 3) {
    const flipped = message.slice()
    flipped[at]! ^= 0x20
    assert.notEqual(await codeOf(() => read(flipped)), 'done', `octet ${at}`)
  }
})
