/**
 * CPACE-RISTRETTO255-SHA512 (draft-irtf-cfrg-cpace-21), initiator-responder: a key from a number that nobody sends.
 *
 * Names are the draft's. Points of the other side are refused unless they are canonical and not the neutral element.
 */

import { ristretto255, ristretto255_hasher } from '@noble/curves/ed25519.js'
import { sha512 } from '@noble/hashes/sha2.js'
import { ascii, join, wipe } from '../octets.ts'
import { ChannelBroken, lvCat } from './lv.ts'

export const POINT = 32
export const SCALAR = 32

const DSI = ascii('CPaceRistretto255')
const DSI_ISK = ascii('CPaceRistretto255_ISK')
const SHA512_BLOCK = 128

/** generator_string: the password in a hash block of its own. */
export function generatorString(prs: Uint8Array, ci: Uint8Array, sid: Uint8Array): Uint8Array {
  const zeros = Math.max(0, SHA512_BLOCK - 1 - lvCat(prs).length - lvCat(DSI).length)
  return lvCat(DSI, prs, new Uint8Array(zeros), ci, sid)
}

/** calculate_generator: 32 bytes. */
export function generator(prs: Uint8Array, ci: Uint8Array, sid: Uint8Array): Uint8Array {
  const hash = sha512(generatorString(prs, ci, sid))
  return ristretto255_hasher.deriveToCurve!(hash).toBytes()
}

/** sample_scalar: 32 random bytes without the bits above 2^252, little-endian. */
export function scalarOf(random: Uint8Array): Uint8Array {
  if (random.length !== SCALAR) throw new RangeError('a scalar is made of 32 bytes')
  const scalar = Uint8Array.from(random)
  scalar[SCALAR - 1]! &= 0x0f
  return scalar
}

/** scalar_mult: the share of this side. `scalar`: little-endian, not zero. */
export function share(scalar: Uint8Array, base: Uint8Array): Uint8Array {
  return ristretto255.Point.fromBytes(base).multiply(fromLittle(scalar)).toBytes()
}

/** scalar_mult_vfy: K. Throws ChannelBroken for a point that is not canonical, or neutral before or after. */
export function secretPoint(scalar: Uint8Array, theirs: Uint8Array): Uint8Array {
  const point = decoded(theirs)
  if (point.is0()) throw new ChannelBroken()
  const product = point.multiply(fromLittle(scalar))
  if (product.is0()) throw new ChannelBroken()
  return product.toBytes()
}

/** ISK: 64 bytes. `k` is overwritten. */
export function sessionKey(
  sid: Uint8Array,
  k: Uint8Array,
  sender: { readonly share: Uint8Array; readonly ad: Uint8Array },
  receiver: { readonly share: Uint8Array; readonly ad: Uint8Array },
): Uint8Array {
  const secret = lvCat(DSI_ISK, sid, k)
  const whole = join(secret, lvCat(sender.share, sender.ad), lvCat(receiver.share, receiver.ad))
  const isk = sha512(whole)
  wipe(k, secret, whole)
  return isk
}

function decoded(bytes: Uint8Array): InstanceType<typeof ristretto255.Point> {
  try {
    return ristretto255.Point.fromBytes(bytes)
  } catch {
    throw new ChannelBroken()
  }
}

function fromLittle(bytes: Uint8Array): bigint {
  return bytes.reduceRight((value, octet) => (value << 8n) | BigInt(octet), 0n)
}
