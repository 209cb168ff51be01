/**
 * A kept certificate: the record of the vault's own storage, version 1 (security B6). Pure: WebCrypto and bytes.
 *
 * The unchanged key file is sealed with AES-256-GCM under a random 256-bit key (DEK); a slot seals the DEK. The
 * password slot's key is PBKDF2-HMAC-SHA256 of the certificate's own password. Opening raises a slot of fewer rounds.
 * Associated data everywhere: what it is, record id, certificate hash, version; so nothing moves between records.
 * A non-extractable key would be no protection against a copied profile (B7): none is kept.
 */

import { sha256 } from '@noble/hashes/sha2.js'
import { Refusal } from '../pure/failure.ts'
import { same, toHex, wipe } from '../pure/octets.ts'
import { type CryptoKey, type Randomness, randomBytes, subtle, utf8 } from '../pure/platform.ts'

export const VERSION = 1
/** OWASP's figure for PBKDF2-HMAC-SHA256 when this was written; about 110 ms on a common PC. */
export const ROUNDS = 600_000
// A record from a tampered profile may not keep the machine busy for minutes.
const ROUNDS_MOST = 10_000_000

/** Opens the DEK by the certificate's password. */
export interface PasswordSlot {
  readonly kind: 'password'
  readonly rounds: number
  readonly salt: Uint8Array
  readonly nonce: Uint8Array
  readonly sealed: Uint8Array
}

/** `id`: 32 lower hex; `certificate`: DER; `nonce`, `sealed`: AES-256-GCM of the key file under the DEK. */
export interface KeptRecord {
  readonly version: number
  readonly id: string
  readonly certificate: Uint8Array
  readonly nonce: Uint8Array
  readonly sealed: Uint8Array
  readonly slots: readonly PasswordSlot[]
}

/** The password opens no slot: `wrong-password`; the record is not as it was written: `record-damaged`. */
export class RecordRefused extends Refusal {
  constructor(code: 'wrong-password' | 'record-damaged') {
    super(code)
    this.name = 'RecordRefused'
  }
}

/** Seals a key file (an EncryptedPrivateKeyInfo, kept byte for byte). The caller overwrites the password. */
export async function keep(
  certificate: Uint8Array,
  keyFile: Uint8Array,
  password: Uint8Array,
  rounds: number = ROUNDS,
  random: Randomness = randomBytes,
): Promise<KeptRecord> {
  const bare = { version: VERSION, id: toHex(random(16)), certificate: certificate.slice() }
  const dek = random(32)
  try {
    const nonce = random(12)
    const sealed = await gcm('encrypt', dek, nonce, bound('key', bare), keyFile)
    return { ...bare, nonce, sealed, slots: [await passwordSlot(bare, dek, password, rounds, random)] }
  } finally {
    wipe(dek)
  }
}

/** The key file as it was, and the record to store instead where the slot had fewer rounds than now asked for. */
export async function openRecord(
  record: KeptRecord,
  password: Uint8Array,
  rounds: number = ROUNDS,
): Promise<{ keyFile: Uint8Array; raised: KeptRecord | null }> {
  const slot = record.slots.find((each) => each.kind === 'password')
  if (record.version !== VERSION || slot === undefined) throw new RecordRefused('record-damaged')
  const dek = await openSlot(record, slot, password)
  try {
    const keyFile = await opened(dek, record)
    const raised = slot.rounds < rounds ? await raise(record, slot, dek, password, rounds) : null
    return { keyFile, raised }
  } finally {
    wipe(dek)
  }
}

async function raise(
  record: KeptRecord,
  old: PasswordSlot,
  dek: Uint8Array,
  password: Uint8Array,
  rounds: number,
): Promise<KeptRecord> {
  const fresh = await passwordSlot(record, dek, password, rounds, randomBytes)
  return { ...record, slots: record.slots.map((each) => (each === old ? fresh : each)) }
}

type Bare = Pick<KeptRecord, 'version' | 'id' | 'certificate'>

async function passwordSlot(
  record: Bare,
  dek: Uint8Array,
  password: Uint8Array,
  rounds: number,
  random: Randomness,
): Promise<PasswordSlot> {
  const salt = random(16)
  const nonce = random(12)
  const key = await derive(password, salt, rounds)
  try {
    return { kind: 'password', rounds, salt, nonce, sealed: await gcm('encrypt', key, nonce, bound('slot', record), dek) }
  } finally {
    wipe(key)
  }
}

async function openSlot(record: KeptRecord, slot: PasswordSlot, password: Uint8Array): Promise<Uint8Array> {
  if (!(slot.rounds >= 1 && slot.rounds <= ROUNDS_MOST)) throw new RecordRefused('record-damaged')
  const key = await derive(password, slot.salt, slot.rounds)
  try {
    return await gcm('decrypt', key, slot.nonce, bound('slot', record), slot.sealed)
  } catch {
    throw new RecordRefused('wrong-password')
  } finally {
    wipe(key)
  }
}

async function opened(dek: Uint8Array, record: KeptRecord): Promise<Uint8Array> {
  try {
    return await gcm('decrypt', dek, record.nonce, bound('key', record), record.sealed)
  } catch {
    throw new RecordRefused('record-damaged')
  }
}

function bound(what: 'key' | 'slot', { id, certificate, version }: Bare): Uint8Array {
  return utf8(`ingam/vault-record/${version}\n${what}\n${id}\n${toHex(sha256(certificate))}\n`)
}

async function derive(password: Uint8Array, salt: Uint8Array, iterations: number): Promise<Uint8Array> {
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

/** Whether two records hold the same bytes: what is read back after a write must equal what was written. */
export function sameRecord(one: KeptRecord, other: KeptRecord): boolean {
  const parts = (each: KeptRecord): Uint8Array[] => [
    each.certificate,
    each.nonce,
    each.sealed,
    ...each.slots.flatMap((slot) => [slot.salt, slot.nonce, slot.sealed, utf8(`${slot.kind} ${slot.rounds}`)]),
  ]
  const [left, right] = [parts(one), parts(other)]
  if (one.version !== other.version || one.id !== other.id || left.length !== right.length) return false
  return left.every((part, at) => same(part, right[at]!))
}
