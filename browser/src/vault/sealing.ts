/**
 * How the vault seals: AES-256-GCM, and slots that seal the key of a record under a password (security B6).
 *
 * Associated data everywhere names what is sealed and where it belongs, so that nothing moves between records.
 */

import { wipe } from '../pure/octets.ts'
import { type CryptoKey, type Randomness, subtle } from '../pure/platform.ts'

/** OWASP's figure for PBKDF2-HMAC-SHA256 when this was written; about 110 ms on a common PC. */
export const ROUNDS = 600_000
// A record from a tampered profile may not keep the machine busy for minutes.
const ROUNDS_MOST = 10_000_000

/** Bytes sealed by AES-256-GCM. */
export interface Sealed {
  readonly nonce: Uint8Array
  readonly sealed: Uint8Array
}

/** Opens the DEK by the certificate's password. */
export interface PasswordSlot extends Sealed {
  readonly kind: 'password'
  readonly rounds: number
  readonly salt: Uint8Array
}

/** Whether a slot's rounds can be counted at all. */
export function countable(slot: { readonly rounds: number }): boolean {
  return slot.rounds >= 1 && slot.rounds <= ROUNDS_MOST
}

/** A slot for a DEK of 32 bytes. `bound`: associated data. The caller overwrites DEK and password. */
export async function passwordSlot(
  dek: Uint8Array,
  password: Uint8Array,
  bound: Uint8Array,
  rounds: number,
  random: Randomness,
): Promise<PasswordSlot> {
  const salt = random(16)
  const key = await derive(password, salt, rounds)
  try {
    return { kind: 'password', rounds, salt, ...(await seal(key, bound, dek, random)) }
  } finally {
    wipe(key)
  }
}

/** The DEK of a slot, or null where the password does not open it. */
export async function openSlot(slot: PasswordSlot, password: Uint8Array, bound: Uint8Array): Promise<Uint8Array | null> {
  const key = await derive(password, slot.salt, slot.rounds)
  try {
    return await open(key, bound, slot)
  } finally {
    wipe(key)
  }
}

/** Seals bytes under a key of 32 bytes with a fresh nonce. */
export async function seal(
  key: Uint8Array,
  bound: Uint8Array,
  plain: Uint8Array,
  random: Randomness,
): Promise<Sealed> {
  const nonce = random(12)
  return { nonce, sealed: await gcm('encrypt', key, nonce, bound, plain) }
}

/** What was sealed, or null where key or associated data are others, or a bit is. */
export async function open(key: Uint8Array, bound: Uint8Array, { nonce, sealed }: Sealed): Promise<Uint8Array | null> {
  try {
    return await gcm('decrypt', key, nonce, bound, sealed)
  } catch {
    return null
  }
}

/** PBKDF2-HMAC-SHA256: 32 bytes, overwritten by the caller. */
export async function derive(password: Uint8Array, salt: Uint8Array, iterations: number): Promise<Uint8Array> {
  const from = await subtle().importKey('raw', password, 'PBKDF2', false, ['deriveBits'])
  return new Uint8Array(await subtle().deriveBits({ name: 'PBKDF2', hash: 'SHA-256', salt, iterations }, from, 256))
}

async function gcm(
  way: 'encrypt' | 'decrypt',
  key: Uint8Array,
  iv: Uint8Array,
  additionalData: Uint8Array,
  bytes: Uint8Array,
): Promise<Uint8Array> {
  const imported: CryptoKey = await subtle().importKey('raw', key, 'AES-GCM', false, [way])
  return new Uint8Array(await subtle()[way]({ name: 'AES-GCM', iv, additionalData }, imported, bytes))
}
