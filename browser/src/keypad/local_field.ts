/**
 * A field of the vault: a certificate's password. Its keys are resolved right here, by a layout that was drawn here, and
 * land where a physical keyboard's would; nothing is sent, sealed or stored (security E13).
 */

import { keysOf, type Layout, type LocalKey } from '../pure/keypad/layout.ts'
import { type Field, selection } from './field.ts'

export class LocalField implements Field<LocalKey> {
  readonly input: HTMLInputElement
  #glyphs: ReadonlyMap<LocalKey, string> = new Map()

  constructor(input: HTMLInputElement) {
    this.input = input
  }

  /** The layout whose keys are pressed from now on. */
  use(layout: Layout<LocalKey>): void {
    this.#glyphs = new Map(keysOf(layout).map(({ id, glyph }) => [id, glyph]))
  }

  press(key: LocalKey): boolean {
    return this.text(this.#glyphs.get(key) ?? '')
  }

  text(character: string): boolean {
    const { input } = this
    const [from, to] = selection(input, input.value.length)
    if (input.maxLength > 0 && input.value.length - (to - from) >= input.maxLength) return false
    input.setRangeText(character, from, to, 'end')
    this.#changed()
    return true
  }

  erase(): void {
    const [from, to] = selection(this.input, this.input.value.length)
    this.input.setRangeText('', from === to ? Math.max(0, from - 1) : from, to, 'end')
    this.#changed()
  }

  empty(): void {
    this.input.value = ''
    this.#changed()
  }

  count(): number {
    return this.input.value.length
  }

  turn(): boolean {
    return true
  }

  #changed(): void {
    this.input.dispatchEvent(new Event('input', { bubbles: true }))
  }
}
