/**
 * The sender's choice: what this browser keeps and what was picked, which of it may leave, and the tries of a password.
 *
 * Only a certificate that the center knows as this person's leaves; the others are shown, and why not (M-COPY-10).
 */

import { sha256 } from '@noble/hashes/sha2.js'
import { type Facts, Refusal } from '../pure/failure.ts'
import { Certificate } from '../pure/npki/certificate.ts'
import { toHex } from '../pure/octets.ts'
import { readPicked } from './bringing.ts'
import { countNameOf, type Entry, entryOfRecord, fingerprintOf, merged, type Picked } from './entries.ts'
import { rememberUsed, lastUsed } from './last_used.ts'
import { localStorageOrNone } from './local.ts'
import type { Brought } from './screens/copy_choose.ts'
import type { Line } from './screens/list.ts'
import type { Standing } from './standing.ts'
import { kept } from './store.ts'
import { afterRight, afterWrong, loadCounts, restOf, saveCounts, TRIES } from './tries.ts'

const PROGRESS_AFTER_MS = 500

/** Where the choice is shown. */
export interface ChoiceScreen {
  draw(lines: readonly Line[], chosen: string | null): void
  reading(slow: boolean): void
  brought(brought: Brought): void
  alert(code: string, facts?: Facts): void
}

/** The choice of one copy, or of one renewal. `standing`: of a line, at the present instant of the center's clock. */
export class Choosing {
  readonly #standing: (entry: Entry) => Standing
  #kept: readonly Entry[] = []
  #files: readonly Entry[] = []
  #chosen: string | null = null

  constructor(standing: (entry: Entry) => Standing) {
    this.#standing = standing
  }

  /** Reads what this browser keeps, and marks what was used last or is the only one that can be. */
  async begin(): Promise<void> {
    this.#kept = (await kept()).map(entryOfRecord)
    this.#preselect()
  }

  /** Reads what this browser keeps anew; the chosen line stays chosen. */
  async look(): Promise<void> {
    this.#kept = (await kept()).map(entryOfRecord)
  }

  draw(screen: ChoiceScreen): void {
    screen.draw(this.#lines(), this.#chosen)
  }

  choose(id: string): void {
    this.#chosen = id
  }

  chosen(): Line | null {
    return this.#lines().find(({ entry }) => entry.id === this.#chosen) ?? null
  }

  #lines(): readonly Line[] {
    const lines = [...this.#kept, ...this.#files].map((entry) => ({ entry, standing: this.#standing(entry) }))
    return lines.sort((one, other) => Number(other.standing.usable) - Number(one.standing.usable))
  }

  /** Unless one that can be used is chosen already: what was brought is meant to be used. */
  #preselect(): void {
    if (this.chosen()?.standing.usable === true) return
    const usable = this.#lines().filter(({ standing }) => standing.usable)
    const last = lastUsed()
    const found = usable.find(({ entry }) => fingerprintOf(entry) === last) ?? (usable.length === 1 ? usable[0] : undefined)
    if (found !== undefined) this.#chosen = found.entry.id
  }

  /** Takes picked files in and says what came of it. */
  async bring(picking: Promise<readonly Picked[]>, screen: ChoiceScreen): Promise<void> {
    const slow = setTimeout(() => screen.reading(true), PROGRESS_AFTER_MS)
    try {
      const { entries, tooLarge, full, failed } = await readPicked(picking)
      this.#files = merged(this.#files, entries)
      this.#preselect()
      this.draw(screen)
      screen.brought({ found: entries.length, tooLarge, full, usable: this.chosen()?.standing.usable === true })
      if (failed !== null) screen.alert(failed.code, failed.facts)
    } catch (failure) {
      if (!(failure instanceof Refusal)) throw failure
      screen.alert(failure.code, failure.facts)
    } finally {
      clearTimeout(slow)
      screen.reading(false)
    }
  }

  /** Whole minutes that the chosen one still rests after wrong passwords, or 0. */
  rest(entry: Entry): number {
    return Math.ceil(restOf(loadCounts(localStorageOrNone()), countNameOf(entry), Date.now()) / 60_000)
  }

  /** Counts a wrong password: how many in a row, and whether it rests now. */
  wrong(entry: Entry): { readonly wrong: number; readonly last: boolean } {
    const storage = localStorageOrNone()
    const { counts, wrong } = afterWrong(loadCounts(storage), countNameOf(entry), Date.now())
    saveCounts(storage, counts)
    return { wrong, last: wrong >= TRIES }
  }

  right(entry: Entry): void {
    const storage = localStorageOrNone()
    saveCounts(storage, afterRight(loadCounts(storage), countNameOf(entry)))
  }

  /** A PFX shows its certificate only after its password: then the list says what it is, and whether it may leave. */
  learn(entry: Entry, der: Uint8Array): void {
    const certificate = new Certificate(der)
    this.#files = this.#files.map((each) => (each === entry ? { ...each, certificate } : each))
    this.#kept = this.#kept.map((each) => (each === entry ? { ...each, certificate } : each))
  }

  used(der: Uint8Array): void {
    rememberUsed(toHex(sha256(der)))
  }
}
