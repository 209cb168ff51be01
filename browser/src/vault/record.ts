/**
 * A kept certificate: the record of the vault's own storage, version 1 (security B6). Pure: WebCrypto and bytes.
 *
 * The unchanged key file is sealed with AES-256-GCM under a random 256-bit key (DEK); a slot seals the DEK. The
 * password slot's key is PBKDF2-HMAC-SHA256 of the certificate's own password. Opening raises a slot of fewer rounds.
 * A passkey slot may stand beside it (B9): under the passkey's PRF it seals the DEK and the opened PKCS#8, because the
 * key file inside has a password of its own that no passkey knows. The password slot always remains.
 * A slot of 간편비밀번호 may too (B8): its key is made of what the PIN becomes with a key that the center keeps for this
 * record alone, so that neither the record nor the center tells anything of a PIN by itself.
 * A copied certificate lies as it came until its password is first given here: then it gets a DEK and a password slot
 * like every other (docs/decisions/0012).
 * Associated data everywhere: what it is, record id, certificate hash, version; so nothing moves between records.
 * A non-extractable key would be no protection against a copied profile (B7): none is kept.
 */

import { ed25519 } from '@noble/curves/ed25519.js'
import { hkdf } from '@noble/hashes/hkdf.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { Refusal } from '../pure/failure.ts'
import { changePassword, openKey } from '../pure/npki/key_file.ts'
import { join, same, toHex, wipe } from '../pure/octets.ts'
import { type Randomness, randomBytes, utf8 } from '../pure/platform.ts'
import { countable, derive, open, openSlot, passwordSlot, type PasswordSlot, ROUNDS, seal, type Sealed } from './sealing.ts'

export { type PasswordSlot, ROUNDS } from './sealing.ts'

export const VERSION = 1
const DEK = 32
const LABEL = utf8('ingam/vault-passkey/1')
const SEED = 32

/** Opens DEK and key by a passkey. `credential`: its id; `salt`: 32 bytes that its PRF is asked for, of this record. */
export interface PasskeySlot extends Sealed {
  readonly kind: 'passkey'
  readonly credential: Uint8Array
  readonly salt: Uint8Array
}

/**
 * The DEK itself, in the place of what would open it: the record protects nothing, and the key file's own encryption is
 * all there is, as in an NPKI folder. It stands alone, and only until the password is known here.
 */
export interface OpenSlot {
  readonly kind: 'open'
  readonly dek: Uint8Array
}

/**
 * Opens DEK and key by 간편비밀번호. `handle`: of the center's key, 32 lower hex; `rounds`, `salt`: PBKDF2 over what the
 * PIN and that key give, so that whoever had both still paid for every guess. The seed of the proof's key lies inside.
 */
export interface PinSlot extends Sealed {
  readonly kind: 'pin'
  readonly handle: string
  readonly rounds: number
  readonly salt: Uint8Array
}

export type Slot = PasswordSlot | PasskeySlot | PinSlot | OpenSlot

/** Whether the person has been given a file of it: asked for until it is `done` (B12). */
export type Backup = 'due' | 'done'

/**
 * `id`: 32 lower hex; `certificate`: DER; `nonce`, `sealed`: AES-256-GCM of the key file under the DEK.
 *
 * `backup`: absent where the certificate came out of files that the person has anyway.
 */
export interface KeptRecord extends Sealed {
  readonly version: number
  readonly id: string
  readonly certificate: Uint8Array
  readonly slots: readonly Slot[]
  readonly backup?: Backup
}

/** No slot opens: `wrong-password`, `passkey-refused`, `wrong-pin`; it is not as it was written: `record-damaged`. */
export class RecordRefused extends Refusal {
  constructor(code: 'wrong-password' | 'passkey-refused' | 'wrong-pin' | 'record-damaged') {
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
  id: string = toHex(random(16)),
): Promise<KeptRecord> {
  const bare = { version: VERSION, id, certificate: certificate.slice() }
  const dek = random(DEK)
  try {
    const sealed = await seal(dek, bound('key', bare), keyFile, random)
    const slot = await passwordSlot(dek, password, bound('slot', bare), rounds, random)
    return { ...bare, ...sealed, slots: [slot] }
  } finally {
    wipe(dek)
  }
}

/** A copied certificate, kept without its password: byte for byte as it came (C11). */
export async function keepAsItCame(
  certificate: Uint8Array,
  keyFile: Uint8Array,
  random: Randomness = randomBytes,
): Promise<KeptRecord> {
  const bare = { version: VERSION, id: toHex(random(16)), certificate: certificate.slice() }
  const dek = random(DEK)
  return { ...bare, ...(await seal(dek, bound('key', bare), keyFile, random)), slots: [{ kind: 'open', dek }] }
}

/** The key file of a record that lies as it came, or null where only a password or a passkey opens it. */
export async function keyFileAsItCame(record: KeptRecord): Promise<Uint8Array | null> {
  const slot = openSlotOf(record)
  return slot === null ? null : openedKeyFile(slot.dek, record)
}

/** Whether a record still lies as it came. */
export function liesAsItCame(record: KeptRecord): boolean {
  return openSlotOf(record) !== null
}

function openSlotOf({ version, slots }: KeptRecord): OpenSlot | null {
  const [slot] = slots
  return version === VERSION && slots.length === 1 && slot?.kind === 'open' && slot.dek.length === DEK ? slot : null
}

/** The key file as it was, and the record to store instead: its slot had fewer rounds than now asked for, or none. */
export async function openRecord(
  record: KeptRecord,
  password: Uint8Array,
  rounds: number = ROUNDS,
): Promise<{ keyFile: Uint8Array; raised: KeptRecord | null }> {
  if (liesAsItCame(record)) return sealedAtLast(record, password, rounds)
  const { slot, dek } = await dekByPassword(record, password)
  try {
    const keyFile = await openedKeyFile(dek, record)
    const raised = slot.rounds < rounds ? await raise(record, slot, dek, password, rounds) : null
    return { keyFile, raised }
  } finally {
    wipe(dek)
  }
}

/** The first time that the password is given: a fresh DEK and a password slot, once the password proved right. */
async function sealedAtLast(
  record: KeptRecord,
  password: Uint8Array,
  rounds: number,
): Promise<{ keyFile: Uint8Array; raised: KeptRecord }> {
  const keyFile = await keyFileAsItCame(record)
  if (keyFile === null) throw new RecordRefused('record-damaged')
  // Sealed under a wrong password it would be lost for good.
  const key = await openKey(keyFile, password)
  key.wipe()
  const fresh = await keep(record.certificate, keyFile, password, rounds, randomBytes, record.id)
  return { keyFile, raised: { ...record, ...fresh } }
}

/**
 * The record under a new password: the key file inside encrypted anew, with R and every attribute as they were, and a
 * password slot made anew. The DEK stays, so that what else opens it (a passkey) still does: it seals the PKCS#8, which
 * is the same. Whoever has an older copy of the record and the old password has the key already.
 */
export async function withPassword(
  record: KeptRecord,
  old: Uint8Array,
  fresh: Uint8Array,
  rounds: number = ROUNDS,
  random: Randomness = randomBytes,
): Promise<KeptRecord> {
  const under = liesAsItCame(record) ? (await sealedAtLast(record, old, rounds)).raised : record
  const { slot, dek } = await dekByPassword(under, old)
  try {
    const keyFile = await changePassword(await openedKeyFile(dek, under), old, fresh, { random })
    const sealed = await seal(dek, bound('key', under), keyFile, random)
    const made = await passwordSlot(dek, fresh, bound('slot', under), rounds, random)
    return { ...under, ...sealed, slots: under.slots.map((each) => (each === slot ? made : each)) }
  } finally {
    wipe(dek)
  }
}

/** The slot of a passkey, or null. */
export function passkeySlot(record: KeptRecord): PasskeySlot | null {
  return record.slots.find((each) => each.kind === 'passkey') ?? null
}

/** The slot of the password, which every sealed record has; null in one that lies as it came, or is damaged. */
export function slotOfPassword(record: KeptRecord): PasswordSlot | null {
  return record.slots.find((each) => each.kind === 'password') ?? null
}

/** A made passkey. `salt`: 32 bytes; `prf`: 32 bytes that the passkey gave for it, overwritten by the caller. */
export interface Passkey {
  readonly credential: Uint8Array
  readonly salt: Uint8Array
  readonly prf: Uint8Array
}

/** The record with a slot for a passkey, in the place of an older one. `pkcs8`: the opened key, overwritten by the caller. */
export async function withPasskey(
  record: KeptRecord,
  password: Uint8Array,
  pkcs8: Uint8Array,
  passkey: Passkey,
  random: Randomness = randomBytes,
): Promise<KeptRecord> {
  const under = liesAsItCame(record) ? (await sealedAtLast(record, password, ROUNDS)).raised : record
  const { dek } = await dekByPassword(under, password)
  const key = keyOfPasskey(under, passkey.prf)
  const inside = join(dek, pkcs8)
  try {
    const sealed = await seal(key, bound('passkey', under), inside, random)
    const { credential, salt } = passkey
    const slot: PasskeySlot = { kind: 'passkey', credential: credential.slice(), salt: salt.slice(), ...sealed }
    return { ...under, slots: [...under.slots.filter((each) => each.kind !== 'passkey'), slot] }
  } finally {
    wipe(dek, key, inside)
  }
}

/**
 * By the passkey's PRF output: the opened PKCS#8, and the key file as it lies inside. The caller overwrites `prf` and
 * `pkcs8`. Throws RecordRefused.
 */
export async function openByPasskey(
  record: KeptRecord,
  prf: Uint8Array,
): Promise<{ pkcs8: Uint8Array; keyFile: Uint8Array }> {
  const slot = passkeySlot(record)
  if (record.version !== VERSION || slot === null) throw new RecordRefused('record-damaged')
  const key = keyOfPasskey(record, prf)
  try {
    const inside = await open(key, bound('passkey', record), slot)
    if (inside === null) throw new RecordRefused('passkey-refused')
    try {
      return { keyFile: await openedKeyFile(inside.subarray(0, DEK), record), pkcs8: inside.slice(DEK) }
    } finally {
      wipe(inside)
    }
  } finally {
    wipe(key)
  }
}

/** HKDF-SHA256 with a label and what the slot belongs to (B9). */
function keyOfPasskey(record: Bare, prf: Uint8Array): Uint8Array {
  return hkdf(sha256, prf, undefined, join(LABEL, bound('passkey', record)), 32)
}

/** The record without one of its further slots. The password's is none of them: it always remains. */
export function without(record: KeptRecord, kind: 'passkey' | 'pin'): KeptRecord {
  return { ...record, slots: record.slots.filter((each) => each.kind !== kind) }
}

/** The slot of 간편비밀번호, or null. */
export function pinSlot(record: KeptRecord): PinSlot | null {
  return record.slots.find((each) => each.kind === 'pin') ?? null
}

/** What goes into the OPRF: the PIN, bound to this record and certificate. The caller overwrites both. */
export function pinInput(record: KeptRecord, pin: Uint8Array): Uint8Array {
  return join(bound('pin-input', record), pin)
}

/** A PIN that is being set. `output`: 64 bytes of the OPRF; `seed`: 32 bytes of the proof's key; overwritten by the caller. */
export interface FreshPin {
  readonly handle: string
  readonly output: Uint8Array
  readonly seed: Uint8Array
}

/** The record with a slot for a PIN, in the place of an older one. `pkcs8`: the opened key, overwritten by the caller. */
export async function withPin(
  record: KeptRecord,
  password: Uint8Array,
  pkcs8: Uint8Array,
  { handle, output, seed }: FreshPin,
  rounds: number = ROUNDS,
  random: Randomness = randomBytes,
): Promise<KeptRecord> {
  const under = liesAsItCame(record) ? (await sealedAtLast(record, password, rounds)).raised : record
  const { dek } = await dekByPassword(under, password)
  const salt = random(16)
  const key = await derive(output, salt, rounds)
  const inside = join(dek, seed, pkcs8)
  try {
    const slot: PinSlot = { kind: 'pin', handle, rounds, salt, ...(await seal(key, bound('pin', under), inside, random)) }
    return { ...under, slots: [...without(under, 'pin').slots, slot] }
  } finally {
    wipe(dek, key, inside)
  }
}

/**
 * By what the PIN became: the opened PKCS#8, the key file as it lies inside, and the signature of `proof` by the slot's
 * own key. The caller overwrites `output` and `pkcs8`. Throws RecordRefused `wrong-pin`.
 */
export async function openByPin(
  record: KeptRecord,
  output: Uint8Array,
  proof: Uint8Array,
): Promise<{ pkcs8: Uint8Array; keyFile: Uint8Array; proved: Uint8Array }> {
  const slot = pinSlot(record)
  if (record.version !== VERSION || slot === null || !countable(slot)) throw new RecordRefused('record-damaged')
  const key = await derive(output, slot.salt, slot.rounds)
  const inside = await open(key, bound('pin', record), slot)
  wipe(key)
  if (inside === null) throw new RecordRefused('wrong-pin')
  try {
    const proved = ed25519.sign(proof, inside.subarray(DEK, DEK + SEED))
    const keyFile = await openedKeyFile(inside.subarray(0, DEK), record)
    return { keyFile, pkcs8: inside.slice(DEK + SEED), proved }
  } finally {
    wipe(inside)
  }
}

async function dekByPassword(
  record: KeptRecord,
  password: Uint8Array,
): Promise<{ slot: PasswordSlot; dek: Uint8Array }> {
  const slot = slotOfPassword(record)
  if (record.version !== VERSION || slot === null || !countable(slot)) throw new RecordRefused('record-damaged')
  const dek = await openSlot(slot, password, bound('slot', record))
  if (dek === null) throw new RecordRefused('wrong-password')
  return { slot, dek }
}

async function raise(
  record: KeptRecord,
  old: PasswordSlot,
  dek: Uint8Array,
  password: Uint8Array,
  rounds: number,
): Promise<KeptRecord> {
  const fresh = await passwordSlot(dek, password, bound('slot', record), rounds, randomBytes)
  return { ...record, slots: record.slots.map((each) => (each === old ? fresh : each)) }
}

type Bare = Pick<KeptRecord, 'version' | 'id' | 'certificate'>

async function openedKeyFile(dek: Uint8Array, record: KeptRecord): Promise<Uint8Array> {
  const keyFile = await open(dek, bound('key', record), record)
  if (keyFile === null) throw new RecordRefused('record-damaged')
  return keyFile
}

function bound(what: 'key' | 'slot' | 'passkey' | 'pin' | 'pin-input', { id, certificate, version }: Bare): Uint8Array {
  return utf8(`ingam/vault-record/${version}\n${what}\n${id}\n${toHex(sha256(certificate))}\n`)
}

/** Whether two records hold the same bytes: what is read back after a write must equal what was written. */
export function sameRecord(one: KeptRecord, other: KeptRecord): boolean {
  const [left, right] = [partsOf(one), partsOf(other)]
  const alike = one.version === other.version && one.id === other.id && one.backup === other.backup
  return alike && left.length === right.length && left.every((part, at) => same(part, right[at]!))
}

function partsOf({ certificate, nonce, sealed, slots }: KeptRecord): Uint8Array[] {
  return [certificate, nonce, sealed, ...slots.flatMap(partsOfSlot)]
}

function partsOfSlot(slot: Slot): Uint8Array[] {
  if (slot.kind === 'open') return [utf8('open'), slot.dek]
  return [slot.salt, slot.nonce, slot.sealed, nameOf(slot)]
}

function nameOf(slot: Exclude<Slot, OpenSlot>): Uint8Array {
  if (slot.kind === 'passkey') return join(utf8('passkey '), slot.credential)
  return utf8(slot.kind === 'password' ? `password ${slot.rounds}` : `pin ${slot.rounds} ${slot.handle}`)
}
