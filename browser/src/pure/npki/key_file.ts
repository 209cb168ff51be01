/**
 * Private-key files, signPri.key and kmPri.key: a DER EncryptedPrivateKeyInfo (RFC 5208 §6, npki.md §1).
 *
 * A password change encrypts the decrypted bytes again, so that R and every other attribute survive byte for byte.
 * No failure carries bytes of the key or the password.
 */

import { Refusal } from '../failure.ts'
import { fromHex, indexOf, join, wipe } from '../octets.ts'
import { unpad } from './cbc.ts'
import { algorithm, integer, NotDer, OCTET_STRING, octets, seq, SEQUENCE, whole } from './der.ts'
import {
  decrypt,
  encrypt,
  type Encryption,
  freshEncryption,
  readEncryption,
  type Sealing,
  writeEncryption,
} from './pbes.ts'
import { DamagedKey, PrivateKey, RANDOM_NUMBER, RSA_ENCRYPTION } from './private_key.ts'

export const SIZE_MOST = 64 * 1024
/** Rounds of the form "for backup" (security B16). */
export const BACKUP_ITERATIONS = 600_000

/** What a key file says without its password. */
export interface KeyFile extends Encryption {
  readonly encrypted: Uint8Array
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
  constructor(bytes: number) {
    super('key-too-large', { bytes, most: SIZE_MOST })
    this.name = 'KeyTooLarge'
  }
}

/** What a file says of itself. Throws KeyTooLarge, DamagedKey, UnknownKeyVariant, TooManyIterations. */
export function describe(file: Uint8Array): KeyFile {
  if (file.length > SIZE_MOST) throw new KeyTooLarge(file.length)
  let found: KeyFile
  try {
    const [identifier, encrypted] = whole(file).exactly(2)
    found = { encrypted: encrypted.expect(OCTET_STRING).content, ...readEncryption(identifier) }
  } catch (failure) {
    throw failure instanceof NotDer ? new DamagedKey('structure') : failure
  }
  const { length } = found.encrypted
  if (length === 0 || length % 16 !== 0) throw new DamagedKey('ciphertext')
  return found
}

/**
 * The opened key of a file. `password`: bytes, tried as they are, never trimmed; the caller overwrites them.
 *
 * Throws what `describe` throws, WrongPassword, DamagedKey or UnsuitableKey.
 */
export async function openKey(file: Uint8Array, password: Uint8Array): Promise<PrivateKey> {
  const described = describe(file)
  return keyOf(await decrypt(described, password, described.encrypted), 16)
}

/** The key in decrypted blocks; on a refusal they are wiped. Throws WrongPassword, DamagedKey, UnsuitableKey. */
export function keyOf(padded: Uint8Array, size: 8 | 16): PrivateKey {
  try {
    return new PrivateKey(unwrapped(padded, size))
  } catch (failure) {
    wipe(padded)
    throw failure
  }
}

/** The one DER SEQUENCE that decrypted blocks hold, without padding: a view. Throws WrongPassword or DamagedKey. */
export function unwrapped(padded: Uint8Array, size: 8 | 16): Uint8Array {
  const plain = unpad(padded, size)
  if (plain !== null && isSequence(plain)) return plain
  const why = whyUnreadable(padded)
  wipe(padded)
  throw why
}

function isSequence(plain: Uint8Array): boolean {
  try {
    return whole(plain).tag === SEQUENCE
  } catch {
    return false
  }
}

/** A whole key file of these very bytes. The key inside is not looked at, and the password is not judged. */
export async function sealKey(pkcs8: Uint8Array, password: Uint8Array, how: Sealing = {}): Promise<Uint8Array> {
  const encryption = freshEncryption(how)
  return seq(writeEncryption(encryption), octets(await encrypt(encryption, password, pkcs8)))
}

/**
 * The same PKCS#8 bytes under a new password, in the same variant with at least 2048 rounds unless told otherwise.
 *
 * Throws what `openKey` throws.
 */
export async function changePassword(
  file: Uint8Array,
  old: Uint8Array,
  fresh: Uint8Array,
  how: Sealing = {},
): Promise<Uint8Array> {
  const found = describe(file)
  const key = await openKey(file, old)
  const kept = how.variant === undefined || how.variant === found.variant
  const same: Sealing = {
    variant: found.variant,
    iterations: Math.max(found.iterations, 2048),
    prf: kept ? found.prf : null,
  }
  try {
    return await sealKey(key.pkcs8, fresh, { ...same, ...how })
  } finally {
    key.wipe()
  }
}

/** Seven and more bytes that another key gives by chance once in 2^50 tries or less. */
const SIGNS = [RANDOM_NUMBER, algorithm(RSA_ENCRYPTION).subarray(4), join(integer(65537), fromHex('0282'))]

/**
 * Wrong password, or a damaged file under the right one: then what CBC leaves intact still reads like a key.
 *
 * A flipped byte spoils one block and a byte of the next; with the right key the rest is the person's PKCS#8.
 */
function whyUnreadable(padded: Uint8Array): Refusal {
  const header = padded[0] === 0x30 && padded[1] === 0x82 && indexOf(padded.subarray(4, 8), fromHex('02010030')) === 0
  return header || SIGNS.some((sign) => indexOf(padded, sign) >= 0) ? new DamagedKey('content') : new WrongPassword()
}
