/** What the keypad says, in the language of the page or frame that it stands in. */

import { words } from '../generated/keypad_words.ts'

/** A text of the `keypad` section with its placeholders filled. */
export type Say = (name: string, facts?: Readonly<Record<string, string | number>>) => string

/** The texts in the document's language. */
export function saying(): Say {
  const table = words[document.documentElement.lang === 'en' ? 'en' : 'ko']
  return (name, facts = {}) =>
    (table[`keypad.${name}`] ?? name).replace(/\{(\w+)\}/g, (whole, fact: string) => String(facts[fact] ?? whole))
}

/** How a character is read aloud. */
export function spoken(say: Say, glyph: string): string {
  if (/^[0-9a-z]$/.test(glyph)) return glyph
  if (/^[A-Z]$/.test(glyph)) return say('capital', { letter: glyph })
  return say(`glyph-${glyph.charCodeAt(0).toString(16).padStart(2, '0')}`)
}
