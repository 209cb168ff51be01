/**
 * Private-key files, signPri.key and kmPri.key: a DER EncryptedPrivateKeyInfo (RFC 5208 §6, npki.md §1).
 *
 * A password change encrypts the decrypted bytes again, so that R and every other attribute survive byte for byte.
 * No failure carries bytes of the key or the password.
 */

import { Refusal } from '../failure.ts'
import { wipe } from '../octets.ts'
import { type Randomness, randomBytes } from '../platform.ts'
import { NotDer, OCTET_STRING, octets, seq, whole } from './der.ts'
import {
  decrypt,
  encrypt,
  type Encryption,
  freshEncryption,
  type Prf,
  readEncryption,
  type Variant,
  writeEncryption,
} from './pbes.ts'
import { DamagedKey, looksLikePkcs8, PrivateKey } from './private_key.ts'

export const SIZE_MOST = 64 * 1024

/** What a key file says without its password. */
export interface KeyFile extends Encryption {
  readonly encrypted: Uint8Array
}

/** How to encrypt: 2048 rounds of PBES2-SEED with HMAC-SHA1 unless said otherwise, the form that every agent reads (B16). */
export interface Sealing {
  readonly variant?: Variant
  readonly iterations?: number
  readonly prf?: Prf
  readonly random?: Randomness
}

/** The password does not open the file: code `wrong-password`. */
export class WrongPassword extends Refusal {
  constructor() {
    super('wrong-password')
    this.name = 'WrongPassword'
  }
}

/** The file is larger than any key file: code `key-too-large`. */
export class KeyTooLarge extends Refusal {
  constructor() {
    super('key-too-large', { most: SIZE_MOST })
    this.name = 'KeyTooLarge'
  }
}

/** Reads a key file from its outside. Throws KeyTooLarge, DamagedKey, UnknownKeyVariant, TooManyIterations. */
export function describe(file: Uint8Array): KeyFile {
  if (file.length > SIZE_MOST) throw new KeyTooLarge()
  try {
    const [identifier, encrypted, ...more] = whole(file).sequence()
    if (identifier === undefined || encrypted === undefined || more.length > 0) throw new DamagedKey('file')
    const content = encrypted.expect(OCTET_STRING).content
    const encryption = readEncryption(identifier)
    if (content.length === 0 || content.length % 16 !== 0) throw new DamagedKey('ciphertext')
    return { ...encryption, encrypted: content }
  } catch (failure) {
    throw failure instanceof NotDer ? new DamagedKey('file') : failure
  }
}

/**
 * Opens a key file. `password`: bytes, never trimmed or normalised; the caller overwrites them.
 *
 * Throws what `describe` throws, WrongPassword, and DamagedKey where the password fits and the key inside is unsound.
 */
export async function openKey(file: Uint8Array, password: Uint8Array): Promise<PrivateKey> {
  const described = describe(file)
  return new PrivateKey(ownPlain(await decrypt(described, password, described.encrypted)))
}

/** The plaintext, if its outside is a PrivateKeyInfo of exactly its length; else the password was wrong. */
export function ownPlain(plain: Uint8Array | null): Uint8Array {
  if (plain === null) throw new WrongPassword()
  if (looksLikePkcs8(plain)) return plain
  wipe(plain)
  throw new WrongPassword()
}

/** Encrypts plain PKCS#8 bytes as they are: a whole key file. */
export async function sealKey(pkcs8: Uint8Array, password: Uint8Array, how: Sealing = {}): Promise<Uint8Array> {
  const { variant = 'pbes2-seed', iterations = 2048, prf = 'hmac-sha1', random = randomBytes } = how
  const encryption = freshEncryption(variant, iterations, prf, random)
  return seq(writeEncryption(encryption), octets(await encrypt(encryption, password, pkcs8)))
}

/** Encrypts the same bytes under another password: by default in the variant, count and PRF of the file. */
export async function changePassword(
  file: Uint8Array,
  old: Uint8Array,
  fresh: Uint8Array,
  how: Sealing = {},
): Promise<Uint8Array> {
  const { variant, iterations, prf } = describe(file)
  const key = await openKey(file, old)
  try {
    return await sealKey(key.pkcs8, fresh, { variant, iterations, ...(prf === null ? {} : { prf }), ...how })
  } finally {
    key.wipe()
  }
}
