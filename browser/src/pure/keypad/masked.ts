/**
 * A field that shows one dot for every item while the items are held elsewhere.
 *
 * Whatever changes the field (a physical keyboard, a paste, a password manager, a phone's own keyboard, a drop) leaves
 * dots where nothing changed and its own text between them; that is enough to follow it.
 */

export const DOT = '•'

/** The dots of so many items. */
export function dots(count: number): string {
  return DOT.repeat(count)
}

/**
 * The items after the field was changed to `value` with the caret at `caret`. `literal` makes an item of a character.
 * The field must have shown one dot for each of `items` before.
 */
export function followed<T>(items: readonly T[], value: string, caret: number, literal: (character: string) => T): T[] {
  let before = 0
  while (before < Math.min(items.length, value.length) && value[before] === DOT) before += 1
  let after = 0
  while (after < Math.min(items.length, value.length) - before && value[value.length - 1 - after] === DOT) after += 1
  const typed = value.slice(before, value.length - after)
  if (typed !== '') return [...items.slice(0, before), ...[...typed].map(literal), ...items.slice(items.length - after)]
  // Nothing but dots is left: what is gone lay at the caret.
  const gone = items.length - value.length
  return [...items.slice(0, caret), ...items.slice(caret + gone)]
}
