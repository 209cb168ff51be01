/** One window at a time: a lock of this browser's, which a reload gets once its old document has gone. */

const WAIT_MS = 2_500

/** What gives the lock back, or null where another window has it. A browser without locks is taken at its word. */
export function alone(name: string): Promise<(() => void) | null> {
  const locks = (navigator as { locks?: LockManager }).locks
  if (locks === undefined) return Promise.resolve(() => undefined)
  return new Promise((resolve) => {
    const held = (): Promise<void> => new Promise((release) => resolve(release))
    locks.request(name, { signal: AbortSignal.timeout(WAIT_MS) }, held).catch(() => resolve(null))
  })
}
