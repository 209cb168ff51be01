/**
 * What lies at the certificate desk: what this browser keeps, and the files that were opened here; which one is chosen,
 * and the tries of its password.
 */

import { Refusal } from '../pure/failure.ts'
import { Certificate } from '../pure/npki/certificate.ts'
import { readPicked } from './bringing.ts'
import { countNameOf, type Entry, entryOfRecord, fingerprintOf, merged, type Picked } from './entries.ts'
import { lastUsed } from './last_used.ts'
import { localStorageOrNone } from './local.ts'
import type { Line } from './screens/list.ts'
import { standingToManage } from './standing.ts'
import { kept } from './store.ts'
import { afterRight, afterWrong, loadCounts, restOf, saveCounts, TRIES } from './tries.ts'

/** Where a line lies (저장 위치). */
export type Where = 'browser' | 'files'

/** What a picking brought, or why nothing could be read. */
export interface Brought {
  readonly found: number
  readonly tooLarge: number
  readonly full: boolean
  readonly failed: Refusal | null
}

/** The shelf. `now`: by the center's clock. */
export class Shelf {
  readonly #now: () => Date
  #kept: readonly Entry[] = []
  #files: readonly Entry[] = []
  #chosen: string | null = null

  constructor(now: () => Date) {
    this.#now = now
  }

  /** Reads what this browser keeps anew; what was chosen stays, else what was used last or is the only one. */
  async look(): Promise<void> {
    this.#kept = (await kept()).map(entryOfRecord)
    if (this.chosen() !== null) return
    const last = this.#kept.find((each) => fingerprintOf(each) === lastUsed())
    this.#chosen = (last ?? (this.#kept.length === 1 ? this.#kept[0] : undefined))?.id ?? null
  }

  lines(where: Where): readonly Line[] {
    const entries = where === 'browser' ? this.#kept : this.#files
    return entries.map((entry) => ({ entry, standing: standingToManage(entry, this.#now()) }))
  }

  choose(id: string): void {
    this.#chosen = id
  }

  chosen(): Line | null {
    const all = [...this.lines('browser'), ...this.lines('files')]
    return all.find(({ entry }) => entry.id === this.#chosen) ?? null
  }

  /** Chooses the line of a certificate in this browser. */
  chooseKept(fingerprint: string): void {
    const found = this.#kept.find((each) => fingerprintOf(each) === fingerprint)
    if (found !== undefined) this.#chosen = found.id
  }

  /** Takes picked files in. */
  async bring(picking: Promise<readonly Picked[]>): Promise<Brought> {
    try {
      const { entries, tooLarge, full, failed } = await readPicked(picking)
      this.#files = merged(this.#files, entries)
      const [first] = entries
      if (first !== undefined) this.#chosen = first.id
      return { found: entries.length, tooLarge, full, failed }
    } catch (failure) {
      if (!(failure instanceof Refusal)) throw failure
      return { found: 0, tooLarge: 0, full: false, failed: failure }
    }
  }

  /** A PFX shows its certificate only after its password: from then on the list says what it is. */
  learn(entry: Entry, der: Uint8Array): Entry {
    const known = { ...entry, certificate: new Certificate(der) }
    this.#files = this.#files.map((each) => (each.id === entry.id ? known : each))
    return entry.certificate === null ? known : entry
  }

  /** Whole minutes that a line still rests after wrong passwords, or 0. */
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
}
