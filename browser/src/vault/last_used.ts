/** Which certificate was used last in this browser: its fingerprint and nothing else, to be offered first next time. */

const KEY = 'ingam.last'

/** 64 lower hex, or null where none is known or the browser gives no storage. */
export function lastUsed(): string | null {
  try {
    const found = localStorage.getItem(KEY)
    return found !== null && /^[0-9a-f]{64}$/.test(found) ? found : null
  } catch {
    return null
  }
}

/** Remembers a fingerprint where the browser lets it. */
export function rememberUsed(fingerprint: string): void {
  try {
    localStorage.setItem(KEY, fingerprint)
  } catch {
    // Only a convenience: the person chooses again.
  }
}
