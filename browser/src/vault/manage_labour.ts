/** The tasks of the certificate desk in a worker: one at a time, with the tries of a password (B11, B17). */

import type { Facts } from '../pure/failure.ts'
import { wipe } from '../pure/octets.ts'
import type { Entry } from './entries.ts'
import { manageWorker, type ManageWorker } from './labour.ts'
import type { Shelf } from './manage_shelf.ts'
import type { Screen } from './manage_view.ts'
import type { ManageDone, ManageStep } from './manage_work.ts'
import { TRIES } from './tries.ts'
import type { Say } from './words.ts'
import type { KeySource } from './work.ts'

/** After which a screen says that it works. */
export const SLOW_MS = 500

/** One task: its worker, and whether the person has gone back to the list meanwhile. */
export interface Task {
  readonly worker: ManageWorker
  left: boolean
}

/** A screen that asks for a password. */
export interface Asking extends Screen {
  busy(word: string | null): void
  wrong(text: string): void
  alert(text: string): void
}

export class ManageLabour {
  readonly #shelf: Shelf
  readonly #say: Say
  readonly #sentence: (code: string, facts?: Facts) => string
  readonly #closed: () => boolean
  #task: Task | null = null

  constructor(shelf: Shelf, say: Say, sentence: (code: string, facts?: Facts) => string, closed: () => boolean) {
    this.#shelf = shelf
    this.#say = say
    this.#sentence = sentence
    this.#closed = closed
  }

  get busy(): boolean {
    return this.#task !== null
  }

  /** The person goes back: what is under way ends without a result, and whatever is pressed next begins at once. */
  leave(): void {
    if (this.#task === null) return
    this.#task.left = true
    this.#task = null
  }

  /** One step in a worker of its own. Null where it was left, or failed, which the screen has said by then. */
  async worked(screen: Asking, entry: Entry, password: Uint8Array, make: (source: KeySource) => ManageStep): Promise<ManageDone | null> {
    const done = await this.working(screen, (task) => this.answered(task, screen, entry, make))
    wipe(password)
    return done
  }

  /**
   * One task with a worker of its own, and what it came to; null where another is under way. What follows from it on the
   * screen comes after this, when the next press counts again.
   */
  async working<T>(screen: Asking, work: (task: Task) => Promise<T | null>): Promise<T | null> {
    if (this.busy) return null
    const task: Task = { worker: manageWorker(), left: false }
    this.#task = task
    screen.alert('')
    const slow = setTimeout(() => screen.busy(this.#say('working')), SLOW_MS)
    try {
      return await work(task)
    } finally {
      task.worker.end()
      clearTimeout(slow)
      screen.busy(null)
      if (this.#task === task) this.#task = null
    }
  }

  /** A step's answer, or null where the screen has said by then why there is none, or nobody waits for it any more. */
  async answered(task: Task, screen: Asking, entry: Entry, make: (source: KeySource) => ManageStep): Promise<ManageDone | null> {
    if (entry.source === null) return null
    const minutes = this.#shelf.rest(entry)
    if (minutes > 0) {
      screen.wrong(this.#say('resting', { m: minutes }))
      return null
    }
    const answer = await task.worker.do(make(entry.source))
    // A wrong try counts also for who left before its answer.
    if (answer.ok || answer.opened) this.#shelf.right(entry)
    const tries = !answer.ok && answer.code === 'wrong-password' ? this.#shelf.wrong(entry) : null
    if (task.left || this.#closed()) return null
    if (answer.ok) return answer.done
    if (tries === null) screen.alert(this.#sentence(answer.code, answer.facts))
    else screen.wrong(this.#say(tries.last ? 'wrong-last' : 'wrong', { n: tries.wrong, max: TRIES }))
    return null
  }
}
