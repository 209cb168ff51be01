/**
 * How hard a password is to guess, in four words: a rough count of bits for the person choosing it, and nothing else.
 *
 * Stays in this frame: it is never stored, sent or compared elsewhere (security B17). The rule decides, not this.
 */

export const LEVELS = ['weak', 'fair', 'strong', 'great'] as const
export type Level = (typeof LEVELS)[number]

const CLASSES: readonly (readonly [RegExp, number])[] = [
  [/[a-z]/, 26],
  [/[A-Z]/, 26],
  [/[0-9]/, 10],
  [/[^a-zA-Z0-9]/, 28],
]
/** What people begin with, and what they end with; each found piece counts as two characters. */
const PIECES = /password|passwd|qwer|asdf|zxcv|ingam|bank|love|korea|admin|login|hello|1q2w|q1w2|(19|20)\d\d|[0-9]{4,}/gi

/** The level of an acceptable or unacceptable password. */
export function strengthOf(password: string): Level {
  const bits = roughBits(password)
  if (bits < 50) return 'weak'
  if (bits < 64) return 'fair'
  return bits < 84 ? 'strong' : 'great'
}

function roughBits(password: string): number {
  const rest = password.replace(PIECES, '00')
  // A letter that comes again adds little.
  const fresh = new Set(rest.toLowerCase()).size
  const counted = fresh + (rest.length - fresh) / 3
  const pool = CLASSES.reduce((sum, [kind, size]) => sum + (kind.test(password) ? size : 0), 0)
  return pool === 0 ? 0 : counted * Math.log2(pool)
}
