/**
 * Where the keys of a keypad lie, and the two kinds of key that never become each other (security E12, E13).
 *
 * A ServerKey is an opaque id of a layout that the center made; nothing here turns one into a character for use. A
 * LocalKey belongs to a layout that this device drew itself, and only its own field resolves it. The same bytes give the
 * same layout as in `src/ingam/protocols/keypad/layout.py` (vectors/keypad).
 */

import { toHex } from '../octets.ts'

declare const side: unique symbol

/** A key of the center's layout: goes sealed to the center, and nowhere else. */
export type ServerKey = string & { readonly [side]: 'server' }

/** A key of this device's own layout: is resolved here, and goes nowhere. */
export type LocalKey = string & { readonly [side]: 'local' }

/** One key and what is drawn on it. */
export interface Key<K> {
  readonly id: K
  readonly glyph: string
}

/** Cells from left to right, rows from top to bottom; null is a blank. */
export type Rows<K> = readonly (readonly (Key<K> | null)[])[]

/** `digits` has one page of that name; `text` has `lower`, `upper`, `symbols`, and the key of the space. */
export interface Layout<K> {
  readonly kind: 'digits' | 'text'
  readonly pages: Readonly<Record<string, Rows<K>>>
  readonly space: Key<K> | null
}

const DIGITS = '0123456789'
const LETTERS = ['qwertyuiop', 'asdfghjkl', 'zxcvbnm'] as const
const SYMBOLS = ['!"#$%&\'(', ')*+,-./:', ';<=>?@[\\]', '^_`{|}~'] as const
const WIDTHS = [11, 11, 11, 8] as const

/** A layout of this device, drawn from `random(n)`, which gives n bytes. */
export function localLayout(kind: 'digits' | 'text', random: (count: number) => Uint8Array): Layout<LocalKey> {
  const draw = new Draw(random)
  if (kind === 'digits') {
    const cells = draw.keys(draw.shuffled([...DIGITS, null, null]))
    return { kind, pages: { digits: [0, 3, 6, 9].map((at) => cells.slice(at, at + 3)) }, space: null }
  }
  const digits = draw.keys(draw.shuffled([...DIGITS, null]))
  const letters = LETTERS.map((row, at) => draw.spread(row, WIDTHS[at + 1]!))
  const lower = letters.map((row) => draw.keys(row))
  const upper = letters.map((row) => draw.keys(row.map((one) => one?.toUpperCase() ?? null)))
  const symbols = SYMBOLS.map((row, at) => draw.keys(draw.spread(row, WIDTHS[at]!)))
  const [space = null] = draw.keys([' '])
  return { kind, pages: { lower: [digits, ...lower], upper: [digits, ...upper], symbols }, space }
}

/** Every key of a layout. */
export function keysOf<K>(layout: Layout<K>): Key<K>[] {
  const found = Object.values(layout.pages).flat(2).filter((key) => key !== null)
  return layout.space === null ? found : [...found, layout.space]
}

/** Uniform choices out of random bytes. */
class Draw {
  readonly #random: (count: number) => Uint8Array
  readonly #given = new Set<string>()

  constructor(random: (count: number) => Uint8Array) {
    this.#random = random
  }

  /** A number below `most` (≤ 256): bytes that would favour the first ones are thrown away. */
  #below(most: number): number {
    for (;;) {
      const byte = this.#random(1)[0]!
      if (byte < 256 - (256 % most)) return byte % most
    }
  }

  /** Fisher and Yates, from the end. */
  shuffled(items: readonly (string | null)[]): (string | null)[] {
    const found = [...items]
    for (let last = found.length - 1; last > 0; last--) {
      const other = this.#below(last + 1)
      const kept = found[last]!
      found[last] = found[other]!
      found[other] = kept
    }
    return found
  }

  /** The characters in their order, with blanks at random places among them. */
  spread(row: string, width: number): (string | null)[] {
    const places = this.shuffled([...row, ...Array<null>(width - row.length).fill(null)])
    let next = 0
    return places.map((one) => (one === null ? null : row[next++]!))
  }

  /** An id for every character. */
  keys(cells: readonly (string | null)[]): (Key<LocalKey> | null)[] {
    return cells.map((glyph) => (glyph === null ? null : { id: this.#id() as LocalKey, glyph }))
  }

  #id(): string {
    for (;;) {
      const found = toHex(this.#random(2))
      if (this.#given.has(found)) continue
      this.#given.add(found)
      return found
    }
  }
}
