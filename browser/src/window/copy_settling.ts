/**
 * Which receiver the person's answer is for, where another one takes its place under the finger (security C3).
 *
 * The answer is always for the one that was on the screen when the buttons could be pressed. Another one, or another
 * word about the same one, takes the buttons away for a moment, so that nobody presses for what was just not there.
 */

import { sameSeen, type Seen } from './copy_look.ts'

export const SETTLES_MS = 3_000

/** The clock's part of it; tests have their own. */
export interface Later {
  set(work: () => void, ms: number): number
  clear(timer: number): void
}

const CLOCK: Later = {
  set: (work, ms) => setTimeout(work, ms) as unknown as number,
  clear: (timer) => clearTimeout(timer),
}

export class Settling {
  readonly #pressable: (pressable: boolean) => void
  readonly #later: Later
  #shown: Seen | null = null
  /** The last one that was shown, also after it went; and whether its wait, if it had one, was over. */
  #last: Seen | null = null
  #settled = true
  #answerable: string | null = null
  #timer: number | null = null

  /** `pressable`: whether the buttons may be pressed now. */
  constructor(pressable: (pressable: boolean) => void, later: Later = CLOCK) {
    this.#pressable = pressable
    this.#later = later
  }

  /** The receiver whose buttons may be pressed, or null. */
  get answerable(): string | null {
    return this.#answerable
  }

  /** What is on the screen now; whether it took the place of another one that was there until now. */
  show(seen: Seen | null): boolean {
    if (sameSeen(seen, this.#shown)) return false
    const replaced = this.#shown !== null && seen !== null
    const another = this.#last !== null && !(this.#settled && sameSeen(seen, this.#last))
    this.#shown = seen
    this.#last = seen ?? this.#last
    if (seen === null) this.#stop()
    else if (another) this.#wait(seen)
    else this.#settle(seen)
    return replaced
  }

  #wait(seen: Seen): void {
    this.#stop()
    this.#settled = false
    this.#pressable(false)
    this.#timer = this.#later.set(() => this.#settle(seen), SETTLES_MS)
  }

  #settle(seen: Seen): void {
    this.#timer = null
    this.#settled = true
    this.#answerable = seen.id
    this.#pressable(true)
  }

  #stop(): void {
    if (this.#timer !== null) this.#later.clear(this.#timer)
    this.#timer = null
    this.#answerable = null
  }
}
