/**
 * WebAuthn between our JSON and `navigator.credentials`: the JSON forms of WebAuthn L3 in, the same forms out.
 *
 * Browsers learned to read and write these forms themselves only lately; here every one that knows WebAuthn is served.
 * The other end is `protocols/webauthn` in Python. What an authenticator says is checked there and not here.
 */

import { Refusal } from './failure.ts'

/** `webauthn-unavailable`: no such thing in this browser; `webauthn-cancelled`: the person or the device said no. */
export class WebAuthnFailed extends Refusal {
  constructor(code: 'webauthn-unavailable' | 'webauthn-cancelled' | 'webauthn-registered') {
    super(code)
    this.name = 'WebAuthnFailed'
  }
}

interface Descriptor<Id> {
  readonly type: 'public-key'
  readonly id: Id
}

/** PublicKeyCredentialCreationOptionsJSON, as far as our server fills it in. */
export interface CreationOptions {
  readonly rp: { readonly id: string; readonly name: string }
  readonly user: { readonly id: string; readonly name: string; readonly displayName: string }
  readonly challenge: string
  readonly pubKeyCredParams: readonly { readonly type: 'public-key'; readonly alg: number }[]
  readonly excludeCredentials: readonly Descriptor<string>[]
  readonly authenticatorSelection: Readonly<Record<string, string | boolean>>
  readonly attestation: string
  readonly timeout: number
}

/** PublicKeyCredentialRequestOptionsJSON, as far as our server fills it in. */
export interface RequestOptions {
  readonly rpId: string
  readonly challenge: string
  readonly allowCredentials: readonly Descriptor<string>[]
  readonly userVerification: string
  readonly timeout: number
}

/** RegistrationResponseJSON or AuthenticationResponseJSON, as far as our server reads it. */
export interface Answer {
  readonly id: string
  readonly rawId: string
  readonly type: string
  readonly response: Readonly<Record<string, string>>
  readonly clientExtensionResults: Readonly<Record<string, never>>
}

/** What `navigator.credentials` gives and we read; the DOM's PublicKeyCredential fits. */
interface Made {
  readonly rawId: ArrayBuffer
  readonly type: string
  readonly response: Readonly<Record<string, unknown>>
}

/** `navigator.credentials`, as far as it is used; given by tests. */
export interface Credentials {
  create(options: { readonly publicKey: object }): Promise<unknown>
  get(options: { readonly publicKey: object; readonly mediation?: string; readonly signal?: unknown }): Promise<unknown>
}

interface Page {
  readonly navigator?: { readonly credentials?: Credentials }
  readonly PublicKeyCredential?: {
    isUserVerifyingPlatformAuthenticatorAvailable(): Promise<boolean>
    isConditionalMediationAvailable?(): Promise<boolean>
  }
  atob(text: string): string
  btoa(text: string): string
}

const page = globalThis as unknown as Page

const MADE = ['clientDataJSON', 'attestationObject']
const SHOWN = ['clientDataJSON', 'authenticatorData', 'signature', 'userHandle']

/** Whether this device has an authenticator of its own that verifies the person. */
export async function hasPlatformAuthenticator(): Promise<boolean> {
  try {
    return (await page.PublicKeyCredential?.isUserVerifyingPlatformAuthenticatorAvailable()) === true
  } catch {
    return false
  }
}

/** Whether this browser knows WebAuthn at all. */
export function knowsWebAuthn(): boolean {
  return page.PublicKeyCredential !== undefined && page.navigator?.credentials !== undefined
}

/** Makes a credential. Needs a press of the person. Throws WebAuthnFailed. */
export async function createCredential(options: CreationOptions, by = ours()): Promise<Answer> {
  const publicKey = {
    ...options,
    challenge: fromBase64url(options.challenge),
    user: { ...options.user, id: fromBase64url(options.user.id) },
    excludeCredentials: options.excludeCredentials.map(described),
  }
  return answered(await asked(() => by.create({ publicKey })), MADE)
}

/** Signs with a credential that is there. Throws WebAuthnFailed. */
export async function useCredential(options: RequestOptions, by = ours()): Promise<Answer> {
  const publicKey = {
    ...options,
    challenge: fromBase64url(options.challenge),
    allowCredentials: options.allowCredentials.map(described),
  }
  return answered(await asked(() => by.get({ publicKey })), SHOWN)
}

/** base64url without padding. */
export function toBase64url(bytes: Uint8Array): string {
  const text = page.btoa(Array.from(bytes, (each) => String.fromCharCode(each)).join(''))
  return text.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}

/** The bytes of base64url. Throws RangeError for anything else. */
export function fromBase64url(text: string): Uint8Array {
  if (!/^[A-Za-z0-9_-]*$/.test(text) || text.length % 4 === 1) throw new RangeError('not base64url')
  return Uint8Array.from(page.atob(text.replaceAll('-', '+').replaceAll('_', '/')), (each) => each.charCodeAt(0))
}

function ours(): Credentials {
  const found = page.navigator?.credentials
  if (found === undefined || page.PublicKeyCredential === undefined) throw new WebAuthnFailed('webauthn-unavailable')
  return found
}

function described(one: Descriptor<string>): Descriptor<Uint8Array> {
  return { type: one.type, id: fromBase64url(one.id) }
}

async function asked(question: () => Promise<unknown>): Promise<Made> {
  let made: unknown
  try {
    made = await question()
  } catch (failure) {
    throw new WebAuthnFailed(codeOf(failure))
  }
  if (made === null || typeof made !== 'object') throw new WebAuthnFailed('webauthn-cancelled')
  return made as Made
}

/** A refusal of the person and a time that ran out look the same on purpose (WebAuthn L3, 14.5). */
function codeOf(failure: unknown): 'webauthn-unavailable' | 'webauthn-cancelled' | 'webauthn-registered' {
  const name = failure instanceof Error || isNamed(failure) ? failure.name : ''
  if (name === 'InvalidStateError') return 'webauthn-registered'
  return name === 'NotAllowedError' || name === 'AbortError' ? 'webauthn-cancelled' : 'webauthn-unavailable'
}

function isNamed(failure: unknown): failure is { readonly name: string } {
  return typeof failure === 'object' && failure !== null && typeof (failure as { name?: unknown }).name === 'string'
}

function answered(made: Made, parts: readonly string[]): Answer {
  const id = toBase64url(new Uint8Array(made.rawId))
  const response: Record<string, string> = {}
  for (const part of parts) {
    const octets = made.response[part]
    if (octets instanceof ArrayBuffer) response[part] = toBase64url(new Uint8Array(octets))
  }
  return { id, rawId: id, type: made.type, response, clientExtensionResults: {} }
}
