/** What a keypad types into. The two kinds take keys of their own and share nothing else (security E12, E13). */

/** A field that takes keys of the kind K. */
export interface Field<K> {
  readonly input: HTMLInputElement
  press(key: K): boolean
  text(character: string): boolean
  erase(): void
  empty(): void
  /** How many characters it holds. */
  count(): number
  /** The keypad is switched on or off; false where what was typed had to be erased. */
  turn(on: boolean): boolean
}

/** The selection of the field, its end where the browser tells none. */
export function selection(input: HTMLInputElement, count: number): readonly [number, number] {
  return [input.selectionStart ?? count, input.selectionEnd ?? count]
}
