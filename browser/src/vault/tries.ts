/**
 * Five tries, then ten minutes of rest for that certificate (M-CERT-01, M-CERT-02).
 *
 * A courtesy to the person, not a protection: whoever has the file guesses elsewhere (security B17). The count stays in
 * this browser under the certificate's fingerprint and is never sent anywhere.
 */

export const TRIES = 5
export const REST_MS = 10 * 60_000
const KEPT_MOST = 50
const KEY = 'ingam.tries'

interface Count {
  readonly wrong: number
  readonly until: number
}
export type Counts = Readonly<Record<string, Count>>

/** Milliseconds that a certificate still rests, 0 when it may be tried. `now`: milliseconds since 1970. */
export function restOf(counts: Counts, fingerprint: string, now: number): number {
  const until = counts[fingerprint]?.until ?? 0
  // A clock that was set back must not rest a certificate for longer than was said.
  return Math.min(Math.max(0, until - now), REST_MS)
}

/** The counts after one more wrong password, and how many were wrong in a row. */
export function afterWrong(counts: Counts, fingerprint: string, now: number): { counts: Counts; wrong: number } {
  const before = counts[fingerprint]
  const rested = before !== undefined && before.until > 0 && before.until <= now
  const wrong = (rested || before === undefined ? 0 : before.wrong) + 1
  const until = wrong >= TRIES ? now + REST_MS : 0
  const others = Object.entries(counts).filter(([each]) => each !== fingerprint)
  return { counts: Object.fromEntries([...others.slice(1 - KEPT_MOST), [fingerprint, { wrong, until }]]), wrong }
}

/** The counts after the right password. */
export function afterRight(counts: Counts, fingerprint: string): Counts {
  return Object.fromEntries(Object.entries(counts).filter(([each]) => each !== fingerprint))
}

/** The stored counts; none where the browser keeps nothing or something else lies there. */
export function loadCounts(storage: Pick<Storage, 'getItem'>): Counts {
  try {
    const found: unknown = JSON.parse(storage.getItem(KEY) ?? '{}')
    return typeof found === 'object' && found !== null ? Object.fromEntries(Object.entries(found).filter(isCount)) : {}
  } catch {
    return {}
  }
}

function isCount(entry: [string, unknown]): entry is [string, Count] {
  const [name, value] = entry
  if (!/^[0-9a-f]{64}$/.test(name) || typeof value !== 'object' || value === null) return false
  const { wrong, until } = value as Record<string, unknown>
  return Number.isSafeInteger(wrong) && typeof until === 'number' && Number.isFinite(until)
}

/** Stores the counts where the browser lets it. */
export function saveCounts(storage: Pick<Storage, 'setItem'>, counts: Counts): void {
  try {
    storage.setItem(KEY, JSON.stringify(counts))
  } catch {
    // A courtesy: without storage the count lives as long as the window.
  }
}
