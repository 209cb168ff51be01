/**
 * A field that the center reads: it shows dots, and holds keys that mean nothing here, and text of a physical keyboard.
 *
 * What was pressed is never a character in this page: no attribute, no property, no storage, no message has it. The only
 * way out is `typed()`, for the sealing (security E12).
 */

import type { ServerKey } from '../pure/keypad/layout.ts'
import { dots, followed } from '../pure/keypad/masked.ts'
import type { Typed } from '../pure/keypad/sealing.ts'
import { type Field, selection } from './field.ts'

const MOST = 64

export class ServerField implements Field<ServerKey> {
  readonly input: HTMLInputElement
  #items: Typed[] = []
  #on = false

  constructor(input: HTMLInputElement) {
    this.input = input
    input.addEventListener('input', () => {
      if (this.#on) this.#follow()
    })
  }

  press(key: ServerKey): boolean {
    return this.#insert({ key })
  }

  text(character: string): boolean {
    return this.#insert({ text: character })
  }

  erase(): void {
    const [from, to] = selection(this.input, this.#items.length)
    const start = from === to ? Math.max(0, from - 1) : from
    this.#show([...this.#items.slice(0, start), ...this.#items.slice(to)], start)
  }

  empty(): void {
    this.#show([], 0)
  }

  count(): number {
    return this.#on ? this.#items.length : this.input.value.length
  }

  turn(on: boolean): boolean {
    if (on === this.#on) return true
    this.#on = on
    this.input.toggleAttribute('data-masked', on)
    if (on) {
      this.#show([...this.input.value].map((text) => ({ text })), this.input.value.length)
      return true
    }
    const texts = this.#items.map((one) => ('text' in one ? one.text : null))
    this.#items = []
    // Keys cannot be turned back into characters here: what they stand for is the center's to know.
    const kept = texts.every((text) => text !== null)
    this.input.value = kept ? texts.join('') : ''
    return kept
  }

  /** What is sealed: keys and text as they came, or the plain text of a field without keypad. */
  typed(): readonly Typed[] {
    if (!this.#on) return this.input.value === '' ? [] : [{ text: this.input.value }]
    return this.#items
  }

  /** After the sealing: a browser that offers to remember dots as a password is told of none. */
  forget(): void {
    if (this.#on) this.empty()
  }

  #insert(one: Typed): boolean {
    const [from, to] = selection(this.input, this.#items.length)
    const most = this.input.maxLength > 0 ? Math.min(this.input.maxLength, MOST) : MOST
    if (this.#items.length - (to - from) >= most) return false
    this.#show([...this.#items.slice(0, from), one, ...this.#items.slice(to)], from + 1)
    return true
  }

  #follow(): void {
    const caret = this.input.selectionStart ?? this.input.value.length
    const before = this.#items.length
    const items = followed(this.#items, this.input.value, caret, (text): Typed => ({ text }))
    this.#show(items.slice(0, MOST), items.length < before ? caret : Math.min(items.length, caret))
  }

  #show(items: Typed[], caret: number): void {
    this.#items = items
    this.input.value = dots(items.length)
    this.input.setSelectionRange(caret, caret)
  }
}
