/** The texts of the window, from the shared table (kernel/words), in the language that the center's page has. */

import { words } from '../generated/words.ts'
import type { Facts } from '../pure/failure.ts'
import type { Lang } from './messages.ts'

/** A text of the `vault` section with its placeholders filled. */
export type Say = (name: string, facts?: Facts) => string

/** The texts in a language. An unknown name shows itself, which a test of every name forbids. */
export function saying(lang: Lang): Say {
  return (name, facts = {}) => filled(words[lang][`vault.${name}`] ?? name, facts)
}

/**
 * The sentence of a failure code: the conversation's own wording first (`own`, and that for one side of it: `role`),
 * the window's, then the shared one.
 */
export function sentence(lang: Lang, code: string, facts: Facts = {}, own = 'why', role = ''): string {
  const table = words[lang]
  const ownWords = table[`vault.${own}-${code}-${role}`] ?? table[`vault.${own}-${code}`]
  const found = ownWords ?? table[`vault.why-${code}`] ?? table[`refusal.${code}`] ?? table['refusal.defect'] ?? code
  return filled(found, facts)
}

function filled(text: string, facts: Facts): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(facts[name] ?? whole))
}

/** A day in Korea, `2027-04-17`: validity ends at 23:59:59 there. */
export function day(instant: Date): string {
  return new Intl.DateTimeFormat('sv-SE', { timeZone: 'Asia/Seoul' }).format(instant)
}
