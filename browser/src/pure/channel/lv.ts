/**
 * Octet strings behind their lengths (prepend_len and lv_cat of draft-irtf-cfrg-cpace-21, appendix A.1): LEB128.
 *
 * Reading is strict: the shortest form of a length alone, nothing past the end, nothing left over.
 */

import { Refusal } from '../failure.ts'
import { join } from '../octets.ts'

/** Bytes of the other side or of the relay that no honest one sends: code `copy-broken`. */
export class ChannelBroken extends Refusal {
  constructor() {
    super('copy-broken')
    this.name = 'ChannelBroken'
  }
}

/** The length as LEB128, then the bytes. */
export function lv(bytes: Uint8Array): Uint8Array {
  const length: number[] = []
  let left = bytes.length
  do {
    length.push((left & 0x7f) | (left > 0x7f ? 0x80 : 0))
    left >>>= 7
  } while (left > 0)
  return join(Uint8Array.from(length), bytes)
}

/** Each part behind its length, one after the other. */
export function lvCat(...parts: readonly Uint8Array[]): Uint8Array {
  return join(...parts.map(lv))
}

/** Reads a message from its first octet to its last. Every method throws ChannelBroken. */
export class Reader {
  readonly #bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  /** The next `count` octets, in an array of their own. */
  take(count: number): Uint8Array {
    const end = this.#at + count
    if (end > this.#bytes.length) throw new ChannelBroken()
    const taken = Uint8Array.from(this.#bytes.subarray(this.#at, end))
    this.#at = end
    return taken
  }

  /** What stands behind a length of one or two octets: `least` to `most` octets (both below 16,384). */
  lv(least: number, most: number): Uint8Array {
    let length = this.take(1)[0]!
    if (length > 0x7f) {
      const second = this.take(1)[0]!
      if (second === 0 || second > 0x7f) throw new ChannelBroken()
      length = (length & 0x7f) | (second << 7)
    }
    if (length < least || length > most) throw new ChannelBroken()
    return this.take(length)
  }

  /** Nothing is left. */
  end(): void {
    if (this.#at !== this.#bytes.length) throw new ChannelBroken()
  }
}
