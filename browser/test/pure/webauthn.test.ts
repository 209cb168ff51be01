/** The JSON forms of WebAuthn to and from a browser's credentials, over a stand-in for them. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type CreationOptions,
  type RequestOptions,
  createCredential,
  fromBase64url,
  toBase64url,
  useCredential,
} from '../../src/pure/webauthn.ts'

const CREATION: CreationOptions = {
  rp: { id: 'localhost', name: '증권금융' },
  user: { id: 'aGFuZGxl', name: 'kimhana01', displayName: 'kimhana01' },
  challenge: 'AAEC_-8',
  pubKeyCredParams: [{ type: 'public-key', alg: -7 }],
  excludeCredentials: [{ type: 'public-key', id: 'b2xk' }],
  authenticatorSelection: { userVerification: 'required', requireResidentKey: false },
  attestation: 'none',
  timeout: 1000,
}
const REQUEST: RequestOptions = {
  rpId: 'localhost',
  challenge: 'AAEC_-8',
  allowCredentials: [{ type: 'public-key', id: 'b2xk' }],
  userVerification: 'required',
  timeout: 1000,
}

function octets(...values: number[]): ArrayBuffer {
  return new Uint8Array(values).buffer
}

function credentials(give: () => unknown, seen: object[] = []) {
  const one = async (options: { readonly publicKey: object }) => {
    seen.push(options.publicKey)
    return give()
  }
  return { create: one, get: one }
}

test('options reach the browser as bytes, and its answer comes back as text', async () => {
  const seen: object[] = []
  const made = {
    rawId: octets(251, 255),
    type: 'public-key',
    response: { clientDataJSON: octets(1), attestationObject: octets(2, 3), signature: 'no bytes' },
  }
  const answer = await createCredential(CREATION, credentials(() => made, seen))
  assert.deepEqual(answer, {
    id: '-_8',
    rawId: '-_8',
    type: 'public-key',
    response: { clientDataJSON: 'AQ', attestationObject: 'AgM' },
    clientExtensionResults: {},
  })
  const asked = seen[0] as { challenge: Uint8Array; user: { id: Uint8Array }; excludeCredentials: { id: Uint8Array }[] }
  assert.deepEqual(asked.challenge, new Uint8Array([0, 1, 2, 255, 239]))
  assert.deepEqual(asked.user.id, new TextEncoder().encode('handle'))
  assert.deepEqual(asked.excludeCredentials[0]?.id, new TextEncoder().encode('old'))
})

test('a signature comes back with whose key it is, where the authenticator says so', async () => {
  const shown = {
    rawId: octets(1),
    type: 'public-key',
    response: { clientDataJSON: octets(1), authenticatorData: octets(2), signature: octets(3), userHandle: null },
  }
  const answer = await useCredential(REQUEST, credentials(() => shown))
  assert.deepEqual(answer.response, { clientDataJSON: 'AQ', authenticatorData: 'Ag', signature: 'Aw' })
})

for (const [name, code] of [
  ['NotAllowedError', 'webauthn-cancelled'],
  ['AbortError', 'webauthn-cancelled'],
  ['InvalidStateError', 'webauthn-registered'],
  ['SecurityError', 'webauthn-unavailable'],
] as const) {
  test(`${name} is told as ${code}`, async () => {
    const refusing = credentials(() => {
      throw new DOMException('', name)
    })
    await assert.rejects(createCredential(CREATION, refusing), { code })
    await assert.rejects(useCredential(REQUEST, refusing), { code })
  })
}

test('no answer is a refusal of the person', async () => {
  await assert.rejects(useCredential(REQUEST, credentials(() => null)), { code: 'webauthn-cancelled' })
})

test('a browser without WebAuthn is told of', async () => {
  await assert.rejects(async () => useCredential(REQUEST), { code: 'webauthn-unavailable' })
})

test('base64url both ways, and nothing else', () => {
  for (let size = 0; size < 70; size++) {
    const bytes = Uint8Array.from({ length: size }, (_, at) => (at * 37 + size) & 255)
    assert.deepEqual(fromBase64url(toBase64url(bytes)), bytes)
  }
  for (const text of ['=', 'a', 'ab+/', 'ab==', 'é']) assert.throws(() => fromBase64url(text), RangeError)
})
