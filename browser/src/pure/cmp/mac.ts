/**
 * Protection by the authorization code: PBMAC1 (RFC 9481 §6.1.2) and PasswordBasedMac (RFC 9810 §5.1.3.1).
 *
 * Twin of protocols/cmp/protection.py. An answer's parameters come unprotected: they are bounded before anything is
 * computed (security D8), and MACs are compared octet for octet to the last.
 */

import { sha1 } from '@noble/hashes/legacy.js'
import { sha256, sha384, sha512 } from '@noble/hashes/sha2.js'
import { join, same, toHex, wipe } from '../octets.ts'
import { subtle } from '../platform.ts'
import {
  algorithm,
  type Element,
  INTEGER,
  integer,
  NotDer,
  OCTET_STRING,
  octets,
  oid,
  seq,
  SEQUENCE,
  whole,
} from '../npki/der.ts'
import { strict } from './message.ts'
import { CmpRefused } from './refusal.ts'

const PBM_ITERATIONS_MOST = 100_000n
const PBKDF2_ITERATIONS_MOST = 1_000_000n
const SALT_MOST = 64
const KEY_LEAST = 16n
const KEY_MOST = 128n

/** Codes have 128 random bits (security D3): rounds add nothing to them, and the authority pays for each. */
const ITERATIONS = 1000

const PBM = '1.2.840.113533.7.66.13'
const PBMAC1 = '1.2.840.113549.1.5.14'
const PBKDF2 = '1.2.840.113549.1.5.12'

type Hash = 'SHA-1' | 'SHA-256' | 'SHA-384' | 'SHA-512'
const HASHES = { 'SHA-1': sha1, 'SHA-256': sha256, 'SHA-384': sha384, 'SHA-512': sha512 } as const
const HASH_OIDS: Readonly<Record<string, Hash>> = {
  '1.3.14.3.2.26': 'SHA-1',
  '2.16.840.1.101.3.4.2.1': 'SHA-256',
  '2.16.840.1.101.3.4.2.2': 'SHA-384',
  '2.16.840.1.101.3.4.2.3': 'SHA-512',
}
const HMAC_OIDS: Readonly<Record<string, Hash>> = {
  '1.2.840.113549.2.7': 'SHA-1',
  // RFC 4210 names HMAC-SHA1 by an identifier of its own.
  '1.3.6.1.5.5.8.1.2': 'SHA-1',
  '1.2.840.113549.2.9': 'SHA-256',
  '1.2.840.113549.2.10': 'SHA-384',
  '1.2.840.113549.2.11': 'SHA-512',
}
const HMAC_SHA256 = algorithm('1.2.840.113549.2.9')

/** A MAC's parameters, within their bounds. `hash` derives the key, `mac` is the HMAC's; `size`: octets of the key. */
export interface MacParameters {
  readonly kind: 'pbmac1' | 'password-based-mac'
  readonly salt: Uint8Array
  readonly iterations: number
  readonly hash: Hash
  readonly mac: Hash
  readonly size: number
}

/** AlgorithmIdentifier of PBMAC1 over PBKDF2 and HMAC, SHA-256 both; `salt`: 16 random octets. */
export function pbmac1(salt: Uint8Array, iterations: number = ITERATIONS): Uint8Array {
  const derivation = seq(octets(salt), integer(iterations), integer(32), HMAC_SHA256)
  return algorithm(PBMAC1, seq(algorithm(PBKDF2, derivation), HMAC_SHA256))
}

/** AlgorithmIdentifier of a PasswordBasedMac with SHA-256 and HMAC-SHA256; `salt`: 16 random octets. */
export function passwordBasedMac(salt: Uint8Array, iterations: number = ITERATIONS): Uint8Array {
  const parameters = seq(octets(salt), algorithm('2.16.840.1.101.3.4.2.1'), integer(iterations), HMAC_SHA256)
  return algorithm(PBM, parameters)
}

const MACS = [PBM, PBMAC1].map((dotted) => toHex(oid(dotted)))

/** Whether a protectionAlg is one of the two. Throws CmpRefused where it is none at all. */
export function isMac(identifier: Uint8Array): boolean {
  return strict(() => MACS.includes(toHex(whole(identifier).atLeast(1)[0].raw)))
}

/** The parameters in a protectionAlg; nothing is computed here. Throws CmpRefused. */
export function macParameters(identifier: Uint8Array): MacParameters {
  return strict(() => {
    const [kind, parameters] = whole(identifier).exactly(2)
    const dotted = kind.oid()
    if (dotted === PBM) return readPbm(parameters)
    if (dotted === PBMAC1) return readPbmac1(parameters)
    throw new CmpRefused('cmp-protection-algorithm')
  })
}

function readPbm(parameters: Element): MacParameters {
  const parts = parameters.sequence()
  const [salt, owf, count, mac] = parts
  if (salt === undefined || owf === undefined || count === undefined || mac === undefined || parts.length > 4) {
    throw new NotDer('a PBMParameter', parts.length)
  }
  const hash = named(HASH_OIDS, owf)
  return {
    kind: 'password-based-mac',
    salt: boundedSalt(salt),
    iterations: bounded(count, PBM_ITERATIONS_MOST),
    hash,
    mac: named(HMAC_OIDS, mac),
    size: HASHES[hash].outputLen,
  }
}

function readPbmac1(parameters: Element): MacParameters {
  const [derivation, scheme] = parameters.exactly(2)
  const [kind, settings] = derivation.exactly(2)
  const mac = named(HMAC_OIDS, scheme)
  if (kind.oid() !== PBKDF2) throw new CmpRefused('cmp-protection-algorithm')
  const [salt, count, ...optional] = settings.atLeast(2)
  const length = optional[0]?.tag === INTEGER ? optional.shift()!.integer() : BigInt(HASHES[mac].outputLen)
  const prf = optional.shift()
  if (optional.length > 0) throw new NotDer('nothing behind', optional.length)
  if (length < KEY_LEAST || length > KEY_MOST) throw new CmpRefused('cmp-protection-cost', { found: 'key length' })
  return {
    kind: 'pbmac1',
    salt: boundedSalt(salt),
    iterations: bounded(count, PBKDF2_ITERATIONS_MOST),
    // The default prf of RFC 8018 appendix A.2.
    hash: prf === undefined ? 'SHA-1' : named(HMAC_OIDS, prf),
    mac,
    size: Number(length),
  }
}

/** The hash that an AlgorithmIdentifier names, without parameters or with NULL: senders do either (RFC 9481 §2). */
function named(table: Readonly<Record<string, Hash>>, identifier: Element): Hash {
  const [kind, ...parameters] = identifier.expect(SEQUENCE).atLeast(1)
  const plain = parameters.length === 0 || (parameters.length === 1 && toHex(parameters[0]!.raw) === '0500')
  const hash = table[kind.oid()]
  if (hash === undefined || !plain) throw new CmpRefused('cmp-protection-algorithm')
  return hash
}

function boundedSalt(salt: Element): Uint8Array {
  const { length } = salt.expect(OCTET_STRING).content
  if (length < 1 || length > SALT_MOST) throw new CmpRefused('cmp-protection-cost', { found: 'salt' })
  return salt.content
}

function bounded(count: Element, most: bigint): number {
  const iterations = count.integer()
  if (iterations < 1n || iterations > most) throw new CmpRefused('cmp-protection-cost', { found: 'iterations' })
  return Number(iterations)
}

/** The MAC of a code over a ProtectedPart. `code`: octets of the authorization code. */
export async function computeMac(
  parameters: MacParameters,
  code: Uint8Array,
  part: Uint8Array,
): Promise<Uint8Array> {
  const derived = await (parameters.kind === 'pbmac1' ? pbkdf2(parameters, code) : repeated(parameters, code))
  try {
    const kind = { name: 'HMAC', hash: parameters.mac }
    const key = await subtle().importKey('raw', derived, kind, false, ['sign'])
    return new Uint8Array(await subtle().sign('HMAC', key, part))
  } finally {
    wipe(derived)
  }
}

/** Whether a MAC is the code's over a ProtectedPart. */
export async function isMacOf(
  parameters: MacParameters,
  code: Uint8Array,
  part: Uint8Array,
  mac: Uint8Array,
): Promise<boolean> {
  return same(await computeMac(parameters, code, part), mac)
}

async function pbkdf2({ hash, salt, iterations, size }: MacParameters, code: Uint8Array): Promise<Uint8Array> {
  const base = await subtle().importKey('raw', code, 'PBKDF2', false, ['deriveBits'])
  return new Uint8Array(await subtle().deriveBits({ name: 'PBKDF2', hash, salt, iterations }, base, 8 * size))
}

/** RFC 9810 §5.1.3.1: the hash of secret and salt, again and again. */
function repeated({ hash, salt, iterations }: MacParameters, code: Uint8Array): Uint8Array {
  let key: Uint8Array = join(code, salt)
  for (let round = 0; round < iterations; round++) {
    const next = HASHES[hash](key)
    wipe(key)
    key = next
  }
  return key
}
