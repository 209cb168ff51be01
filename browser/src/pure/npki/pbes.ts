/**
 * Password-based encryption as NPKI uses it (npki.md §1): what an AlgorithmIdentifier says, the key it derives, and
 * both directions. Key files and the bags of a .pfx share it.
 */

import { cbc } from '@noble/ciphers/aes.js'
import { sha1 } from '@noble/hashes/legacy.js'
import { Refusal } from '../failure.ts'
import { ascii, wipe } from '../octets.ts'
import { type Randomness, randomBytes, subtle } from '../platform.ts'
import { aria } from './aria.ts'
import { type BlockCipher, decryptBlocks, encryptCbc } from './cbc.ts'
import {
  algorithm,
  type Element,
  INTEGER,
  integer,
  NotDer,
  nothing,
  OCTET_STRING,
  octets,
  seq,
  SEQUENCE,
} from './der.ts'
import { pbkdf1Sha1 } from './pbkdf1.ts'
import { seed } from './seed.ts'

export const VARIANTS = [
  'pbe-sha1-seed',
  'seed-cbc-sha1',
  'pbes2-seed',
  'pbes2-aes-256',
  'pbes2-aria-128',
  'pbes2-aria-192',
  'pbes2-aria-256',
] as const

/** The ways a key file is encrypted: A, B, C, D and E of npki.md §1. */
export type Variant = (typeof VARIANTS)[number]
export type Prf = 'hmac-sha1' | 'hmac-sha256'

export const ITERATIONS_MOST = 1_000_000
export const SALT_MOST = 64

const PBE_SHA1_SEED = '1.2.410.200004.1.15'
const SEED_CBC = '1.2.410.200004.1.4'
const PBES2 = '1.2.840.113549.1.5.13'
const PBKDF2 = '1.2.840.113549.1.5.12'
const PRF_OIDS: Readonly<Record<Prf, string>> = {
  'hmac-sha1': '1.2.840.113549.2.7',
  'hmac-sha256': '1.2.840.113549.2.9',
}

type Pbes1Variant = 'pbe-sha1-seed' | 'seed-cbc-sha1'
type Pbes2Variant = Exclude<Variant, Pbes1Variant>
interface Scheme {
  readonly oid: string
  readonly keySize: 16 | 24 | 32
  /** null: AES, which a kept library does. */
  readonly cipher: ((key: Uint8Array) => BlockCipher) | null
}
const SCHEMES: Readonly<Record<Pbes2Variant, Scheme>> = {
  'pbes2-seed': { oid: SEED_CBC, keySize: 16, cipher: seed },
  'pbes2-aes-256': { oid: '2.16.840.1.101.3.4.1.42', keySize: 32, cipher: null },
  'pbes2-aria-128': { oid: '1.2.410.200046.1.1.2', keySize: 16, cipher: aria },
  'pbes2-aria-192': { oid: '1.2.410.200046.1.1.7', keySize: 24, cipher: aria },
  'pbes2-aria-256': { oid: '1.2.410.200046.1.1.12', keySize: 32, cipher: aria },
}
/** The fixed IV of variant B. */
const FIXED_IV = ascii('0123456789012345')

/** What an AlgorithmIdentifier says about the encryption, without the password. */
export interface Encryption {
  readonly variant: Variant
  /** null for the two PBES1-style variants, which use PBKDF1. */
  readonly prf: Prf | null
  readonly iterations: number
  readonly salt: Uint8Array
  /** null where the password gives it (A) or it is fixed (B). */
  readonly iv: Uint8Array | null
}

/** An encryption that this program does not know: code `key-variant-unknown`. */
export class UnknownKeyVariant extends Refusal {
  constructor(found: string) {
    super('key-variant-unknown', { oid: found })
    this.name = 'UnknownKeyVariant'
  }
}

/** More rounds than anybody needs; refused before any of them is computed: code `key-iterations`. */
export class TooManyIterations extends Refusal {
  constructor(most: number = ITERATIONS_MOST) {
    super('key-iterations', { most })
    this.name = 'TooManyIterations'
  }
}

/** Reads an AlgorithmIdentifier. Throws UnknownKeyVariant, TooManyIterations, or NotDer for damaged parameters. */
export function readEncryption(identifier: Element): Encryption {
  const [kind, parameters] = identifier.exactly(2)
  const dotted = kind.oid()
  if (dotted === PBES2) return readPbes2(parameters)
  if (dotted === PBE_SHA1_SEED) return readPbes1('pbe-sha1-seed', parameters)
  // The same OID means PBES1-style encryption here, and the bare cipher inside PBES2: the parameters tell (npki.md §1).
  if (dotted === SEED_CBC && parameters.tag === SEQUENCE) return readPbes1('seed-cbc-sha1', parameters)
  throw new UnknownKeyVariant(dotted)
}

function readPbes1(variant: Pbes1Variant, parameters: Element): Encryption {
  const [salt, count] = parameters.exactly(2)
  return { variant, prf: null, iterations: boundedIterations(count), salt: readSalt(salt), iv: null }
}

/** PBES2-params (RFC 8018 A.4): a derivation that must be PBKDF2 and a cipher with its IV. */
function readPbes2(parameters: Element): Encryption {
  const [derivation, encryption] = parameters.exactly(2)
  const [kind, settings] = derivation.exactly(2)
  const [cipher, iv] = encryption.exactly(2)
  if (kind.oid() !== PBKDF2) throw new UnknownKeyVariant(kind.oid())
  const variant = variantOf(cipher.oid())
  const [salt, count, ...optional] = settings.atLeast(2)
  const prf = readPrf(optional, SCHEMES[variant].keySize)
  if (iv.expect(OCTET_STRING).content.length !== 16) throw new NotDer('an IV of 16 bytes', iv.content.length)
  return { variant, prf, iterations: boundedIterations(count), salt: readSalt(salt), iv: iv.content }
}

function variantOf(dotted: string): Pbes2Variant {
  for (const [variant, scheme] of Object.entries(SCHEMES)) {
    if (scheme.oid === dotted) return variant as Pbes2Variant
  }
  throw new UnknownKeyVariant(dotted)
}

/** The optional keyLength and prf of PBKDF2-params (RFC 8018 A.2); prf absent means HMAC-SHA1. */
function readPrf(optional: readonly Element[], keySize: number): Prf {
  const [length] = optional
  const sized = length !== undefined && length.tag === INTEGER
  if (sized && length.integer() !== BigInt(keySize)) throw new NotDer(`keyLength ${keySize}`, 'another')
  const [identifier, ...more] = sized ? optional.slice(1) : optional
  if (identifier === undefined) return 'hmac-sha1'
  if (more.length > 0) throw new NotDer('nothing behind prf', more.length)
  const dotted = identifier.atLeast(1)[0].oid()
  for (const [prf, known] of Object.entries(PRF_OIDS)) {
    if (known === dotted) return prf as Prf
  }
  throw new UnknownKeyVariant(dotted)
}

/** A count within 1 to ITERATIONS_MOST. Throws TooManyIterations, or NotDer where it is not positive. */
export function boundedIterations(count: Element): number {
  // Five octets already exceed the bound: refused by length, before a number of 60 KB is made.
  if (count.expect(INTEGER).content.length > 4) throw new TooManyIterations()
  const value = Number(count.integer())
  if (value < 1) throw new NotDer('a positive count', value)
  if (value > ITERATIONS_MOST) throw new TooManyIterations()
  return value
}

function readSalt(salt: Element): Uint8Array {
  const { content } = salt.expect(OCTET_STRING)
  if (content.length < 1 || content.length > SALT_MOST) throw new NotDer('a salt', content.length)
  return content
}

/** Writes the AlgorithmIdentifier of an encryption. */
export function writeEncryption(encryption: Encryption): Uint8Array {
  const { variant, prf, iterations, salt, iv } = encryption
  if (isPbes1(variant)) {
    return algorithm(variant === 'pbe-sha1-seed' ? PBE_SHA1_SEED : SEED_CBC, seq(octets(salt), integer(iterations)))
  }
  // A default is left out in DER, and agents of the SHA-1 age know no prf at all (X.690 §11.5).
  const chosen = prf === 'hmac-sha256' ? algorithm(PRF_OIDS[prf]) : nothing
  const derivation = algorithm(PBKDF2, seq(octets(salt), integer(iterations), chosen))
  return algorithm(PBES2, seq(derivation, algorithm(SCHEMES[variant].oid, octets(iv ?? nothing))))
}

function isPbes1(variant: Variant): variant is Pbes1Variant {
  return variant === 'pbe-sha1-seed' || variant === 'seed-cbc-sha1'
}

/** How to encrypt. `random(n)` gives n bytes: first the salt, then, for PBES2, the IV. */
export interface Sealing {
  readonly variant?: Variant
  readonly iterations?: number
  readonly prf?: Prf | null
  readonly random?: Randomness
}

/**
 * The parameters of a new encryption: 2048 rounds of PBES2-SEED, which every agent in Korea reads (B16), unless told
 * otherwise. `prf`: HMAC-SHA1 with SEED, HMAC-SHA256 with the others. The salt has 8 bytes with SEED, else 16.
 */
export function freshEncryption(how: Sealing): Encryption {
  const { variant = 'pbes2-seed', iterations = 2048, prf = null, random = randomBytes } = how
  if (!Number.isInteger(iterations) || iterations < 1 || iterations > ITERATIONS_MOST) throw new TooManyIterations()
  if (isPbes1(variant)) return { variant, prf: null, iterations, salt: random(8), iv: null }
  const plainOld = variant === 'pbes2-seed'
  const salt = random(plainOld ? 8 : 16)
  return { variant, prf: prf ?? (plainOld ? 'hmac-sha1' : 'hmac-sha256'), iterations, salt, iv: random(16) }
}

/** Encrypts with PKCS#7 padding. */
export async function encrypt(encryption: Encryption, password: Uint8Array, plain: Uint8Array): Promise<Uint8Array> {
  const { key, iv, cipher } = await derive(encryption, password)
  const encrypted = cipher === null ? cbc(key, iv).encrypt(plain) : encryptCbc(cipher(key), iv, plain)
  wipe(key)
  return encrypted
}

/** Decrypts whole blocks; the padding stays on, because what a wrong key leaves is told from what damage leaves. */
export async function decrypt(
  encryption: Encryption,
  password: Uint8Array,
  encrypted: Uint8Array,
): Promise<Uint8Array> {
  const { key, iv, cipher } = await derive(encryption, password)
  try {
    if (cipher === null) return cbc(key, iv, { disablePadding: true }).decrypt(encrypted)
    return decryptBlocks(cipher(key), iv, encrypted)
  } finally {
    wipe(key)
  }
}

interface Derived {
  readonly key: Uint8Array
  readonly iv: Uint8Array
  readonly cipher: Scheme['cipher']
}

async function derive(encryption: Encryption, password: Uint8Array): Promise<Derived> {
  const { variant, prf, iterations, salt, iv } = encryption
  if (!isPbes1(variant)) {
    const { keySize, cipher } = SCHEMES[variant]
    return { key: await pbkdf2(prf ?? 'hmac-sha1', password, salt, iterations, keySize), iv: iv ?? nothing, cipher }
  }
  const derived = pbkdf1Sha1(password, salt, iterations)
  const key = derived.slice(0, 16)
  const vector = variant === 'pbe-sha1-seed' ? sha1(derived.subarray(16)).slice(0, 16) : FIXED_IV
  wipe(derived)
  return { key, iv: vector, cipher: seed }
}

/** PBKDF2 (RFC 8018 §5.2) by WebCrypto: `size` bytes. */
async function pbkdf2(
  prf: Prf,
  password: Uint8Array,
  salt: Uint8Array,
  iterations: number,
  size: number,
): Promise<Uint8Array> {
  const hash = prf === 'hmac-sha1' ? 'SHA-1' : 'SHA-256'
  const base = await subtle().importKey('raw', password, 'PBKDF2', false, ['deriveBits'])
  return new Uint8Array(await subtle().deriveBits({ name: 'PBKDF2', hash, salt, iterations }, base, 8 * size))
}
