/**
 * An opened private key: the plain PKCS#8 bytes, kept verbatim, and what was read from them (RFC 5208, npki.md §1.1).
 *
 * The bytes are never encoded again: R and every other attribute live in them. Byte arrays are overwritten by
 * `wipe()`; the numbers that the consistency proof makes on the way cannot be, and are left to the collector.
 */

import { Refusal } from '../failure.ts'
import { wipe } from '../octets.ts'
import { type CryptoKey, subtle } from '../platform.ts'
import { algorithm, BIT_STRING, type Element, element, integer, NotDer, octets, OCTET_STRING } from './der.ts'
import { SET, seq, unsigned, whole } from './der.ts'

export const RSA_ENCRYPTION = '1.2.840.113549.1.1.1'
/** kisa-identifyData randomNum: the attribute that holds R. */
export const RANDOM_NUM = '1.2.410.200004.10.1.1.3'

const R_BITS_LEAST = 160
const R_BITS_MOST = 512

/** What a private key is matched with: modulus and exponent of a certificate. */
export interface RsaPublic {
  readonly n: bigint
  readonly e: bigint
}

/** The file opens, yet what is inside is not a sound RSA key: code `key-damaged`. */
export class DamagedKey extends Refusal {
  constructor() {
    super('key-damaged')
    this.name = 'DamagedKey'
  }
}

/** Key and certificate are not a pair: code `key-mismatch`. */
export class KeyMismatch extends Refusal {
  constructor() {
    super('key-mismatch')
    this.name = 'KeyMismatch'
  }
}

/** An opened private key. It does not print and does not serialise. */
export class PrivateKey implements RsaPublic {
  readonly n: bigint
  readonly e: bigint
  readonly #pkcs8: Uint8Array
  readonly #rsa: Uint8Array
  readonly #attributes: Uint8Array | null
  readonly #random: Uint8Array | null

  /** Takes the array over: `wipe()` overwrites it. Throws DamagedKey. */
  constructor(pkcs8: Uint8Array) {
    const { rsa, attributes } = parts(pkcs8)
    const numbers = proved(rsa.content)
    this.n = numbers.n
    this.e = numbers.e
    this.#pkcs8 = pkcs8
    this.#rsa = rsa.content
    this.#attributes = attributes === null ? null : attributes.raw
    this.#random = attributes === null ? null : randomOf(attributes)
  }

  /** The plain PKCS#8 bytes as they were decrypted. A view: gone after `wipe()`. */
  get pkcs8(): Uint8Array {
    return this.#pkcs8
  }

  /** The `[0]` attributes as they stand in the file, or null. A view. */
  get attributes(): Uint8Array | null {
    return this.#attributes
  }

  /** R as the DER of its BIT STRING, verbatim, or null where the key has none. A view. */
  get random(): Uint8Array | null {
    return this.#random
  }

  /** Size of the modulus in bits. */
  get bits(): number {
    return this.n.toString(2).length
  }

  /** Whether the certificate's public key belongs to this key. */
  matches(other: RsaPublic): boolean {
    return this.n === other.n && this.e === other.e
  }

  /** Throws KeyMismatch where it does not. */
  requireMatch(other: RsaPublic): void {
    if (!this.matches(other)) throw new KeyMismatch()
  }

  /** A non-extractable WebCrypto key for RSASSA-PKCS1-v1_5 with SHA-256 (security B11). */
  async signingKey(): Promise<CryptoKey> {
    // WebCrypto refuses a PrivateKeyInfo with attributes, so it gets one without them.
    const bare = seq(integer(0), algorithm(RSA_ENCRYPTION), octets(this.#rsa))
    try {
      return await subtle().importKey('pkcs8', bare, { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }, false, ['sign'])
    } catch {
      throw new DamagedKey()
    } finally {
      wipe(bare)
    }
  }

  /** Overwrites the bytes; R and the attributes are views of them. */
  wipe(): void {
    wipe(this.#pkcs8)
  }

  toJSON(): string {
    return '<private key>'
  }

  toString(): string {
    return '<private key>'
  }
}

interface Parts {
  readonly rsa: Element
  readonly attributes: Element | null
}

/** PrivateKeyInfo ::= SEQUENCE { version 0, rsaEncryption, OCTET STRING, [0] attributes OPTIONAL } (RFC 5208 §5). */
function parts(pkcs8: Uint8Array): Parts {
  try {
    const [version, kind, rsa, attributes = null, ...more] = whole(pkcs8).sequence()
    if (version?.integer() !== 0n || kind === undefined || rsa === undefined || more.length > 0) throw new DamagedKey()
    if (kind.sequence()[0]?.oid() !== RSA_ENCRYPTION) throw new DamagedKey()
    return { rsa: rsa.expect(OCTET_STRING), attributes: attributes?.expect(0xa0) ?? null }
  } catch (failure) {
    throw told(failure)
  }
}

/** A NotDer of plaintext would carry bytes of the key in its facts: only the cause leaves here. */
function told(failure: unknown): unknown {
  return failure instanceof NotDer ? new DamagedKey() : failure
}

/** n and e of an RSAPrivateKey (RFC 8017 A.1.2) whose other numbers fit them; throws DamagedKey. */
function proved(rsa: Uint8Array): RsaPublic {
  let numbers: bigint[]
  try {
    numbers = whole(rsa)
      .sequence()
      .map((each) => positive(each))
  } catch (failure) {
    throw told(failure)
  }
  const [version, n = 0n, e = 0n, d = 0n, p = 0n, q = 0n, dP = 0n, dQ = 0n, qInv = 0n] = numbers
  if (numbers.length !== 9 || version !== 0n || p < 2n || q < 2n || p * q !== n) throw new DamagedKey()
  if (d % (p - 1n) !== dP || d % (q - 1n) !== dQ || (qInv * q) % p !== 1n) throw new DamagedKey()
  if ((e * dP) % (p - 1n) !== 1n || (e * dQ) % (q - 1n) !== 1n) throw new DamagedKey()
  return { n, e }
}

function positive(number: Element): bigint {
  const value = number.integer()
  if (value < 0n) throw new DamagedKey()
  return value
}

/** R's BIT STRING from the attributes (npki.md §1.1); null where there is none. 160-512 bits, 0 unused (A14). */
function randomOf(attributes: Element): Uint8Array | null {
  try {
    let random: Uint8Array | null = null
    for (const attribute of attributes.children()) {
      const [kind, values, ...more] = attribute.sequence()
      if (kind?.oid() !== RANDOM_NUM) continue
      if (random !== null || more.length > 0 || values === undefined) throw new DamagedKey()
      random = onlyRandom(values.sequence(SET))
    }
    return random
  } catch (failure) {
    throw told(failure)
  }
}

function onlyRandom(values: readonly Element[]): Uint8Array {
  const [value] = values
  if (values.length !== 1 || value === undefined || value.tag !== BIT_STRING) throw new DamagedKey()
  const bits = 8 * value.bits().length
  if (bits < R_BITS_LEAST || bits > R_BITS_MOST) throw new DamagedKey()
  return value.raw
}

/** Whether bytes look like a PrivateKeyInfo from their outside: what a wrong password does not give. */
export function looksLikePkcs8(plain: Uint8Array): boolean {
  try {
    const outer = whole(plain).expect(0x30)
    return element(plain, outer.body, outer.end).integer() === 0n
  } catch {
    return false
  }
}

/** A public key from unsigned big-endian octets. */
export function rsaPublic(n: Uint8Array, e: Uint8Array): RsaPublic {
  return { n: unsigned(n), e: unsigned(e) }
}
