/**
 * Password-based encryption as NPKI uses it (npki.md §1): what an AlgorithmIdentifier says, the key it derives, and
 * both directions. Key files and the bags of a .pfx share it.
 */

import { sha1 } from '@noble/hashes/legacy.js'
import { Refusal } from '../failure.ts'
import { ascii, wipe } from '../octets.ts'
import { type Randomness, subtle } from '../platform.ts'
import { aria } from './aria.ts'
import { type BlockCipher, decryptCbc, encryptCbc } from './cbc.ts'
import { algorithm, type Element, integer, NotDer, nul, OCTET_STRING, octets, seq, SEQUENCE } from './der.ts'
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
const SALT_MOST = 64

const PBE_SHA1_SEED = '1.2.410.200004.1.15'
const SEED_CBC = '1.2.410.200004.1.4'
const PBES2 = '1.2.840.113549.1.5.13'
const PBKDF2 = '1.2.840.113549.1.5.12'
const PRF_OIDS: Readonly<Record<Prf, string>> = {
  'hmac-sha1': '1.2.840.113549.2.7',
  'hmac-sha256': '1.2.840.113549.2.9',
}

type Pbes2Variant = Exclude<Variant, 'pbe-sha1-seed' | 'seed-cbc-sha1'>
interface Scheme {
  readonly oid: string
  readonly keySize: 16 | 24 | 32
  /** null: WebCrypto's AES. */
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
  constructor() {
    super('key-iterations', { most: ITERATIONS_MOST })
    this.name = 'TooManyIterations'
  }
}

/** Reads an AlgorithmIdentifier. Throws UnknownKeyVariant, TooManyIterations, or NotDer for damaged parameters. */
export function readEncryption(identifier: Element): Encryption {
  const [kind, parameters, ...more] = identifier.sequence()
  if (kind === undefined || parameters === undefined || more.length > 0) throw new NotDer('an algorithm', more.length)
  const dotted = kind.oid()
  if (dotted === PBE_SHA1_SEED) return readPbes1('pbe-sha1-seed', parameters)
  // The same OID stands for PBES2's inner cipher; there its parameter is a bare OCTET STRING (npki.md §1).
  if (dotted === SEED_CBC && parameters.tag === SEQUENCE) return readPbes1('seed-cbc-sha1', parameters)
  if (dotted === PBES2) return readPbes2(parameters)
  throw new UnknownKeyVariant(dotted)
}

function readPbes1(variant: Variant, parameters: Element): Encryption {
  const [salt, count, ...more] = parameters.sequence()
  if (salt === undefined || count === undefined || more.length > 0) throw new NotDer('salt and count', more.length)
  return { variant, prf: null, iterations: readIterations(count), salt: readSalt(salt), iv: null }
}

/** PBES2-params (RFC 8018 A.4): a derivation that must be PBKDF2 and a cipher with its IV. */
function readPbes2(parameters: Element): Encryption {
  const [derivation, scheme, ...more] = parameters.sequence()
  if (derivation === undefined || scheme === undefined || more.length > 0) throw new NotDer('PBES2', more.length)
  const [kind, derived] = derivation.sequence()
  const [cipher, iv] = scheme.sequence()
  if (kind === undefined || derived === undefined || cipher === undefined) throw new NotDer('PBES2', 'less')
  if (kind.oid() !== PBKDF2) throw new UnknownKeyVariant(kind.oid())
  const variant = variantOf(cipher.oid())
  if (iv === undefined) throw new NotDer('an IV', 'none')
  const vector = iv.expect(OCTET_STRING).content
  if (vector.length !== 16) throw new NotDer('an IV of 16 bytes', vector.length)
  return { variant, iv: vector, ...readPbkdf2(derived, SCHEMES[variant].keySize) }
}

function variantOf(dotted: string): Pbes2Variant {
  for (const [variant, scheme] of Object.entries(SCHEMES)) {
    if (scheme.oid === dotted) return variant as Pbes2Variant
  }
  throw new UnknownKeyVariant(dotted)
}

/** PBKDF2-params (RFC 8018 A.2): salt, count, keyLength OPTIONAL, prf DEFAULT hmacWithSHA1. */
function readPbkdf2(parameters: Element, keySize: number): Pick<Encryption, 'prf' | 'iterations' | 'salt'> {
  const [salt, count, ...options] = parameters.sequence()
  if (salt === undefined || count === undefined) throw new NotDer('salt and count', 'less')
  const iterations = readIterations(count)
  if (options[0]?.tag === 0x02 && options.shift()!.integer() !== BigInt(keySize)) throw new NotDer('key length', 'other')
  const prf = options.length > 0 ? prfOf(options.shift()!) : 'hmac-sha1'
  if (options.length > 0) throw new NotDer('nothing behind', options.length)
  return { prf, iterations, salt: readSalt(salt) }
}

function prfOf(identifier: Element): Prf {
  const dotted = identifier.sequence()[0]?.oid() ?? ''
  for (const [prf, known] of Object.entries(PRF_OIDS)) {
    if (known === dotted) return prf as Prf
  }
  throw new UnknownKeyVariant(dotted)
}

function readIterations(count: Element): number {
  const value = count.integer()
  if (value < 1n) throw new NotDer('a count', 'none')
  if (value > BigInt(ITERATIONS_MOST)) throw new TooManyIterations()
  return Number(value)
}

function readSalt(salt: Element): Uint8Array {
  const { content } = salt.expect(OCTET_STRING)
  if (content.length < 1 || content.length > SALT_MOST) throw new NotDer('a salt', content.length)
  return content
}

/** Writes the AlgorithmIdentifier of an encryption. */
export function writeEncryption(encryption: Encryption): Uint8Array {
  const { variant, prf, iterations, salt, iv } = encryption
  if (variant === 'pbe-sha1-seed') return algorithm(PBE_SHA1_SEED, seq(octets(salt), integer(iterations)))
  if (variant === 'seed-cbc-sha1') return algorithm(SEED_CBC, seq(octets(salt), integer(iterations)))
  // DER leaves a default out: hmacWithSHA1 is not written, and old agents expect that (npki.md §1).
  const chosen = prf === 'hmac-sha256' ? algorithm(PRF_OIDS[prf], nul) : new Uint8Array(0)
  const derivation = algorithm(PBKDF2, seq(octets(salt), integer(iterations), chosen))
  return algorithm(PBES2, seq(derivation, algorithm(SCHEMES[variant].oid, octets(iv!))))
}

/** Fresh salt (8 bytes, 16 for AES) and, for PBES2, a fresh IV. */
export function freshEncryption(variant: Variant, iterations: number, prf: Prf, random: Randomness): Encryption {
  if (!Number.isInteger(iterations) || iterations < 1 || iterations > ITERATIONS_MOST) throw new TooManyIterations()
  const salt = random(8)
  if (variant === 'pbe-sha1-seed' || variant === 'seed-cbc-sha1') return { variant, prf: null, iterations, salt, iv: null }
  return { variant, prf, iterations, salt, iv: random(16) }
}

/** Encrypts with PKCS#7 padding. */
export async function encrypt(encryption: Encryption, password: Uint8Array, plain: Uint8Array): Promise<Uint8Array> {
  const { key, iv, cipher } = await derive(encryption, password)
  try {
    return cipher === null ? await aesCbc('encrypt', key, iv, plain) : encryptCbc(cipher(key), iv, plain)
  } finally {
    wipe(key)
  }
}

/** Decrypts; null where the padding is wrong, as it mostly is under a wrong password. Whole blocks only. */
export async function decrypt(
  encryption: Encryption,
  password: Uint8Array,
  encrypted: Uint8Array,
): Promise<Uint8Array | null> {
  const { key, iv, cipher } = await derive(encryption, password)
  try {
    if (cipher !== null) return decryptCbc(cipher(key), iv, encrypted)
    return await aesCbc('decrypt', key, iv, encrypted).catch(() => null)
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
  if (variant === 'pbe-sha1-seed' || variant === 'seed-cbc-sha1') {
    const derived = pbkdf1Sha1(password, salt, iterations)
    const key = derived.slice(0, 16)
    const vector = variant === 'pbe-sha1-seed' ? sha1(derived.subarray(16)).slice(0, 16) : FIXED_IV
    wipe(derived)
    return { key, iv: vector, cipher: seed }
  }
  const scheme = SCHEMES[variant]
  return { key: await pbkdf2(prf!, password, salt, iterations, scheme.keySize), iv: iv!, cipher: scheme.cipher }
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

async function aesCbc(
  direction: 'encrypt' | 'decrypt',
  key: Uint8Array,
  iv: Uint8Array,
  bytes: Uint8Array,
): Promise<Uint8Array> {
  const imported = await subtle().importKey('raw', key, 'AES-CBC', false, [direction])
  return new Uint8Array(await subtle()[direction]({ name: 'AES-CBC', iv }, imported, bytes))
}
