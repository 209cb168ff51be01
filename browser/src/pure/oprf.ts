/**
 * The client of OPRF(ristretto255, SHA-512), base mode (RFC 9497): what a PIN becomes with a key that the center keeps.
 *
 * The center sees a random element whatever the input is, and answers for its key; only here both come together. Twin
 * of protocols/oprf.
 */

import { ristretto255_oprf } from '@noble/curves/ed25519.js'
import { Refusal } from './failure.ts'
import { type Randomness, randomBytes } from './platform.ts'

export const ELEMENT = 32
export const OUTPUT = 64

/** What came back is no element: code `oprf-element`. */
export class ElementRefused extends Refusal {
  constructor() {
    super('oprf-element')
    this.name = 'ElementRefused'
  }
}

/** `blind`: the scalar, kept here and overwritten; `element`: what is sent. */
export interface Blinded {
  readonly blind: Uint8Array
  readonly element: Uint8Array
}

/** Blind. */
export function blind(input: Uint8Array, random: Randomness = randomBytes): Blinded {
  const made = ristretto255_oprf.oprf.blind(input, (count) => random(count ?? ELEMENT))
  return { blind: made.blind, element: made.blinded }
}

/** Finalize: 64 bytes. Throws ElementRefused. */
export function finalize(input: Uint8Array, scalar: Uint8Array, evaluated: Uint8Array): Uint8Array {
  try {
    return ristretto255_oprf.oprf.finalize(input, scalar, evaluated)
  } catch {
    throw new ElementRefused()
  }
}
