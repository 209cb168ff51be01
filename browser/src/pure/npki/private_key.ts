/**
 * An opened private key: the plain PKCS#8 bytes, kept verbatim, and what was read from them (RFC 5208, npki.md §1.1).
 *
 * The bytes are never encoded again: R and every other attribute live in them. Byte arrays are overwritten by
 * `wipe()`; the numbers that the consistency proof makes on the way cannot be, and are left to the collector.
 */

import { type Facts, Refusal } from '../failure.ts'
import { same, wipe } from '../octets.ts'
import { type CryptoKey, subtle } from '../platform.ts'
import {
  algorithm,
  type Element,
  integer,
  NotDer,
  OCTET_STRING,
  oid,
  seq,
  SET,
  whole,
} from './der.ts'

export const RSA_ENCRYPTION = '1.2.840.113549.1.1.1'
/** kisa-randomNum: the attribute that holds R (npki.md §1.1). */
export const RANDOM_NUMBER = oid('1.2.410.200004.10.1.1.3')

const BITS_LEAST = 2048
const BITS_MOST = 4096
const EXPONENT_LEAST = 65537n
const EXPONENT_END = 1n << 32n
export const R_LEAST = 160 / 8
export const R_MOST = 512 / 8

/** What a private key is matched with: modulus and exponent of a certificate. */
export interface RsaPublic {
  readonly n: bigint
  readonly e: bigint
}

/** The file is cut, altered or no key file; `where` says which part. No password opens it: code `key-damaged`. */
export class DamagedKey extends Refusal {
  constructor(where: string) {
    super('key-damaged', { where })
    this.name = 'DamagedKey'
  }
}

/** A whole key that this house does not use: not RSA, or out of bounds (security A4): code `key-unsuitable`. */
export class UnsuitableKey extends Refusal {
  constructor(facts: Facts) {
    super('key-unsuitable', facts)
    this.name = 'UnsuitableKey'
  }
}

/** The attribute of R is not one BIT STRING of 160 to 512 bits, 0 unused (security A14): code `vid-random`. */
export class BadRandom extends Refusal {
  constructor() {
    super('vid-random')
    this.name = 'BadRandom'
  }
}

/** Key and certificate are not a pair: code `key-mismatch`. */
export class KeyMismatch extends Refusal {
  constructor() {
    super('key-mismatch')
    this.name = 'KeyMismatch'
  }
}

/** An opened private key whose numbers were proven consistent. It does not print and does not serialise. */
export class PrivateKey implements RsaPublic {
  readonly n: bigint
  readonly e: bigint
  /** Size of the modulus in bits. */
  readonly bits: number
  readonly #pkcs8: Uint8Array
  /** The OCTET STRING of the RSAPrivateKey, whole. A view. */
  readonly #rsa: Uint8Array
  readonly #attributes: Element | null

  /** Takes the array over: `wipe()` overwrites it. Throws DamagedKey or UnsuitableKey. */
  constructor(pkcs8: Uint8Array) {
    const { kind, rsa, attributes, numbers } = readPkcs8(pkcs8)
    if (kind !== RSA_ENCRYPTION) throw new UnsuitableKey({ algorithm: kind })
    this.n = numbers.n
    this.e = numbers.e
    this.bits = bitLength(numbers.n)
    if (this.bits < BITS_LEAST || this.bits > BITS_MOST) throw new UnsuitableKey({ bits: this.bits })
    if (this.e < EXPONENT_LEAST || this.e >= EXPONENT_END || this.e % 2n === 0n) {
      throw new UnsuitableKey({ bits: this.bits, exponent_bits: bitLength(this.e) })
    }
    if (!consistent(numbers)) throw new DamagedKey('numbers')
    this.#pkcs8 = pkcs8
    this.#rsa = rsa
    this.#attributes = attributes
  }

  /** The plain PKCS#8 bytes as they were decrypted. A view: gone after `wipe()`. */
  get pkcs8(): Uint8Array {
    return this.#pkcs8
  }

  /** The `[0]` attributes as they stand in the file, or null. A view. */
  get attributes(): Uint8Array | null {
    return this.#attributes?.raw ?? null
  }

  /** Whether an attribute of R is there, well formed or not. */
  get hasRandom(): boolean {
    return randoms(this.#attributes).length > 0
  }

  /** R: the DER of its BIT STRING, verbatim as VID hashes it; null where there is none. A view. Throws BadRandom. */
  get random(): Uint8Array | null {
    const found = randoms(this.#attributes)
    if (found.length > 1) throw new BadRandom()
    return found[0] === undefined ? null : onlyRandom(found[0])
  }

  /** Whether this is the private half of the public key (n, e). */
  matches(other: RsaPublic): boolean {
    return this.n === other.n && this.e === other.e
  }

  /** Throws KeyMismatch where it is not. */
  requireMatch(other: RsaPublic): void {
    if (!this.matches(other)) throw new KeyMismatch()
  }

  /** A non-extractable WebCrypto key for RSASSA-PKCS1-v1_5 with SHA-256 (security B11). Throws DamagedKey. */
  async signingKey(): Promise<CryptoKey> {
    // WebCrypto refuses a PrivateKeyInfo with attributes, so it gets one without them.
    const bare = seq(integer(0), algorithm(RSA_ENCRYPTION), this.#rsa)
    try {
      return await subtle().importKey('pkcs8', bare, { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }, false, ['sign'])
    } catch {
      throw new DamagedKey('numbers')
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

/** The numbers of an RSAPrivateKey (RFC 8017 appendix A.1.2). */
interface RsaNumbers extends RsaPublic {
  readonly d: bigint
  readonly p: bigint
  readonly q: bigint
  readonly dP: bigint
  readonly dQ: bigint
  readonly qInv: bigint
}

interface Pkcs8 {
  readonly kind: string
  readonly rsa: Uint8Array
  readonly attributes: Element | null
  readonly numbers: RsaNumbers
}

const NO_NUMBERS: RsaNumbers = { n: 0n, e: 0n, d: 0n, p: 0n, q: 0n, dP: 0n, dQ: 0n, qInv: 0n }

/** PrivateKeyInfo ::= SEQUENCE { version 0, algorithm, OCTET STRING, [0] attributes OPTIONAL } (RFC 5958 §2). */
function readPkcs8(pkcs8: Uint8Array): Pkcs8 {
  try {
    const [version, identifier, octetString, attributes = null, ...more] = whole(pkcs8).atLeast(3)
    if (version.integer() !== 0n || more.length > 0) throw new DamagedKey('private-key')
    attributes?.expect(0xa0)
    const kind = identifier.atLeast(1)[0].oid()
    const { content, raw } = octetString.expect(OCTET_STRING)
    const numbers = kind === RSA_ENCRYPTION ? readNumbers(content) : NO_NUMBERS
    return { kind, rsa: raw, attributes, numbers }
  } catch (failure) {
    // A NotDer of plaintext would carry bytes of the key in its facts: only the cause leaves here.
    throw failure instanceof NotDer ? new DamagedKey('private-key') : failure
  }
}

function readNumbers(rsa: Uint8Array): RsaNumbers {
  const [version, ...numbers] = whole(rsa)
    .sequence()
    .map((each) => each.integer())
  const [n = 0n, e = 0n, d = 0n, p = 0n, q = 0n, dP = 0n, dQ = 0n, qInv = 0n] = numbers
  if (version !== 0n || numbers.length !== 8 || numbers.some((each) => each <= 0n)) throw new DamagedKey('private-key')
  return { n, e, d, p, q, dP, dQ, qInv }
}

/** Whether p·q = n, dP and dQ are d reduced and invert e, and qInv inverts q (RFC 8017 §3.2). */
function consistent({ n, e, d, p, q, dP, dQ, qInv }: RsaNumbers): boolean {
  if (p < 3n || q < 3n || p === q || p * q !== n) return false
  const halves = dP === d % (p - 1n) && dQ === d % (q - 1n)
  const inverts = (e * dP) % (p - 1n) === 1n && (e * dQ) % (q - 1n) === 1n
  return halves && inverts && qInv < p && (qInv * q) % p === 1n
}

/** The values of the attributes of R (npki.md §1.1); whatever is no pair of type and values has no meaning here. */
function randoms(attributes: Element | null): Element[] {
  if (attributes === null) return []
  try {
    const pairs = attributes.children().map((attribute) => attribute.sequence())
    return pairs.filter((pair) => pair.length === 2 && same(pair[0]!.raw, RANDOM_NUMBER)).map((pair) => pair[1]!)
  } catch {
    return []
  }
}

function onlyRandom(values: Element): Uint8Array {
  let only: Element[]
  let size = 0
  try {
    only = values.sequence(SET)
    size = only[0]?.bits().length ?? 0
  } catch {
    throw new BadRandom()
  }
  if (only.length !== 1 || size < R_LEAST || size > R_MOST) throw new BadRandom()
  return only[0]!.raw
}

function bitLength(number: bigint): number {
  return number.toString(2).length
}
