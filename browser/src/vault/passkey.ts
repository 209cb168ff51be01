/**
 * A passkey that unlocks one record: WebAuthn with its PRF, at this vault's own host, with the person verified (B9).
 *
 * What the PRF gives leaves here as bytes that the caller hands to the worker and overwrites. No server takes part: the
 * challenge is random and its signature is not looked at, since what counts is the secret that only this passkey gives.
 */

import { Refusal } from '../pure/failure.ts'
import { randomBytes } from '../pure/platform.ts'
import type { Passkey, PasskeySlot } from './record.ts'

const WAIT_MS = 90_000
const ES256 = -7
const RS256 = -257

/** It cannot be made or used here (`passkey-unavailable`), or the person left it (`passkey-cancelled`). */
export class PasskeyRefused extends Refusal {
  constructor(code: 'passkey-unavailable' | 'passkey-cancelled') {
    super(code)
    this.name = 'PasskeyRefused'
  }
}

/** Whether this device can: an authenticator of its own that verifies the person, and a browser that knows the PRF. */
export async function canUsePasskey(): Promise<boolean> {
  try {
    if (!(await PublicKeyCredential.isUserVerifyingPlatformAuthenticatorAvailable())) return false
    const told = await PublicKeyCredential.getClientCapabilities?.()
    return told?.['extension:prf'] !== false
  } catch {
    return false
  }
}

/** Makes a passkey named after the certificate's owner, and asks it for its secret. Needs a press of the person. */
export async function makePasskey(owner: string): Promise<Passkey> {
  const salt = randomBytes(32)
  const made = await asked(() =>
    navigator.credentials.create({
      publicKey: {
        rp: { id: location.hostname, name: 'Ingam' },
        user: { id: buffer(randomBytes(16)), name: owner, displayName: owner },
        challenge: buffer(randomBytes(32)),
        pubKeyCredParams: [
          { type: 'public-key', alg: ES256 },
          { type: 'public-key', alg: RS256 },
        ],
        authenticatorSelection: {
          authenticatorAttachment: 'platform',
          residentKey: 'preferred',
          userVerification: 'required',
        },
        attestation: 'none',
        timeout: WAIT_MS,
        extensions: { prf: { eval: { first: buffer(salt) } } },
      },
    }),
  )
  const credential = new Uint8Array(made.rawId)
  const { prf } = made.getClientExtensionResults()
  if (prf?.enabled !== true) throw new PasskeyRefused('passkey-unavailable')
  const first = prf.results?.first
  // Many authenticators give the secret only when the passkey is used.
  return { credential, salt, prf: first === undefined ? await secretOf(credential, salt) : bytesOf(first) }
}

/** The secret of a slot's passkey. Needs a press of the person. */
export function askPasskey({ credential, salt }: PasskeySlot): Promise<Uint8Array> {
  return secretOf(credential, salt)
}

async function secretOf(credential: Uint8Array, salt: Uint8Array): Promise<Uint8Array> {
  const used = await asked(() =>
    navigator.credentials.get({
      publicKey: {
        rpId: location.hostname,
        challenge: buffer(randomBytes(32)),
        allowCredentials: [{ type: 'public-key', id: buffer(credential) }],
        userVerification: 'required',
        timeout: WAIT_MS,
        extensions: { prf: { eval: { first: buffer(salt) } } },
      },
    }),
  )
  const first = used.getClientExtensionResults().prf?.results?.first
  if (first === undefined) throw new PasskeyRefused('passkey-unavailable')
  return bytesOf(first)
}

async function asked(ask: () => Promise<Credential | null>): Promise<PublicKeyCredential> {
  try {
    const found = await ask()
    if (found instanceof PublicKeyCredential) return found
  } catch (failure) {
    const left = failure instanceof DOMException && ['NotAllowedError', 'AbortError'].includes(failure.name)
    throw new PasskeyRefused(left ? 'passkey-cancelled' : 'passkey-unavailable')
  }
  throw new PasskeyRefused('passkey-unavailable')
}

function buffer(bytes: Uint8Array): ArrayBuffer {
  return bytes.slice().buffer as ArrayBuffer
}

function bytesOf(source: BufferSource): Uint8Array {
  return ArrayBuffer.isView(source)
    ? new Uint8Array(source.buffer, source.byteOffset, source.byteLength).slice()
    : new Uint8Array(source).slice()
}
