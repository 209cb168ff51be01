/** Looks for the receiver: the server's events, and a look now and then where they do not come through. */

import type { CopyAsking } from './copy_asking.ts'
import { type Look, lookOf } from './copy_look.ts'

const POLL_MS = 4_000
/** Nobody is kept logged in by a window that is forgotten: after so long without a change it stops looking. */
const PATIENCE_MS = 600_000

export class Watching {
  readonly #ask: CopyAsking
  readonly #seen: (look: Look) => void
  readonly #paused: () => void
  #source: EventSource | null = null
  #poll: ReturnType<typeof setInterval> | null = null
  #patience: ReturnType<typeof setTimeout> | undefined
  #last = ''

  constructor(ask: CopyAsking, seen: (look: Look) => void, paused: () => void) {
    this.#ask = ask
    this.#seen = seen
    this.#paused = paused
  }

  start(): void {
    this.stop()
    this.#wait()
    const source = new EventSource(`${this.#ask.base}/events`)
    this.#source = source
    source.addEventListener('open', () => this.#quiet())
    source.addEventListener('message', (event: MessageEvent<string>) => this.#told(parsed(event.data)))
    source.addEventListener('error', () => this.#askInstead())
  }

  stop(): void {
    this.#source?.close()
    this.#source = null
    this.#quiet()
    clearTimeout(this.#patience)
  }

  /** Once, at once. Throws what `failedBy` reads. */
  async look(): Promise<void> {
    this.#told(await this.#ask.post('look'))
  }

  #told(told: unknown): void {
    const look = lookOf(told)
    if (look === null) return
    const text = JSON.stringify(look)
    if (text !== this.#last) this.#wait()
    this.#last = text
    this.#seen(look)
  }

  #wait(): void {
    clearTimeout(this.#patience)
    this.#patience = setTimeout(() => {
      this.stop()
      this.#paused()
    }, PATIENCE_MS)
  }

  /** The events come, or nothing does: until they come again, it is asked. */
  #askInstead(): void {
    this.#poll ??= setInterval(() => void this.look().catch(() => undefined), POLL_MS)
  }

  #quiet(): void {
    if (this.#poll !== null) clearInterval(this.#poll)
    this.#poll = null
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
