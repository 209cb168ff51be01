/** localStorage, or this window's memory where the browser gives none. */

const inMemory = new Map<string, string>()

export function localStorageOrNone(): Pick<Storage, 'getItem' | 'setItem'> {
  try {
    return localStorage
  } catch {
    return { getItem: (key) => inMemory.get(key) ?? null, setItem: (key, value) => void inMemory.set(key, value) }
  }
}
