/** The tasks of the certificate desk in a worker: one at a time, with the tries of a password (B11, B17). */

import type { Facts } from '../pure/failure.ts'
import type { Entry } from './entries.ts'
import { manageWorker, type ManageWorker } from './labour.ts'
import type { Shelf } from './manage_shelf.ts'
import type { Screen } from './manage_view.ts'
import type { ManageAnswer, ManageDone, ManageStep } from './manage_work.ts'
import { TRIES } from './tries.ts'
import type { Say } from './words.ts'
import type { KeySource } from './work.ts'

/** After which a screen says that it works. */
export const SLOW_MS = 500

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
  #busy = false

  constructor(shelf: Shelf, say: Say, sentence: (code: string, facts?: Facts) => string, closed: () => boolean) {
    this.#shelf = shelf
    this.#say = say
    this.#sentence = sentence
    this.#closed = closed
  }

  get busy(): boolean {
    return this.#busy
  }

  /** One step in a worker of its own. Null where it failed, which the screen has said by then. */
  async worked(screen: Asking, entry: Entry, password: Uint8Array, make: (source: KeySource) => ManageStep): Promise<ManageDone | null> {
    let done: ManageDone | null = null
    const began = await this.working(screen, async (worker) => {
      done = await this.answered(worker, screen, entry, make)
    })
    if (!began) password.fill(0)
    return done
  }

  /** One task with a worker of its own; false where another is under way. */
  async working(screen: Asking, work: (worker: ManageWorker) => Promise<void>): Promise<boolean> {
    if (this.#busy) return false
    this.#busy = true
    screen.alert('')
    const slow = setTimeout(() => screen.busy(this.#say('working')), SLOW_MS)
    const worker = manageWorker()
    try {
      await work(worker)
      return true
    } finally {
      worker.end()
      clearTimeout(slow)
      screen.busy(null)
      this.#busy = false
    }
  }

  /** A step's answer, or null where the screen has said by then why there is none. */
  async answered(worker: ManageWorker, screen: Asking, entry: Entry, make: (source: KeySource) => ManageStep): Promise<ManageDone | null> {
    if (entry.source === null) return null
    const step = make(entry.source)
    const minutes = this.#shelf.rest(entry)
    if (minutes > 0) {
      forget(step)
      screen.wrong(this.#say('resting', { m: minutes }))
      return null
    }
    const answer = await worker.do(step)
    if (this.#closed()) return null
    if (answer.ok || answer.opened) this.#shelf.right(entry)
    if (answer.ok) return answer.done
    this.#failed(screen, entry, answer)
    return null
  }

  #failed(screen: Asking, entry: Entry, { code, facts }: Extract<ManageAnswer, { ok: false }>): void {
    if (code !== 'wrong-password') return screen.alert(this.#sentence(code, facts))
    const { wrong, last } = this.#shelf.wrong(entry)
    screen.wrong(this.#say(last ? 'wrong-last' : 'wrong', { n: wrong, max: TRIES }))
  }
}

/** What was typed for a step that is not taken. */
function forget(step: ManageStep): void {
  if ('password' in step) step.password.fill(0)
  if ('fresh' in step) step.fresh.fill(0)
}
