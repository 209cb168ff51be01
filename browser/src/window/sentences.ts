/** The sentence of a code, as every page of the center says it where the server sent none. */

import { words } from '../generated/page_words.ts'

/** From the table of the page's language. */
export function sentence(code: string): string {
  const table = words[document.documentElement.lang === 'en' ? 'en' : 'ko']
  return table[`vault.why-${code}`] ?? table[`refusal.${code}`] ?? table['refusal.outage'] ?? code
}
