/** Picked files, read as far as no password is needed: what a window lists of them. */

import { Refusal } from '../pure/failure.ts'
import { type Entry, entryOfGroup, type Picked } from './entries.ts'
import { grouped } from './listing.ts'

/** `tooLarge`, `full`: as of a listing; `failed`: why one of them could not be read, or null. */
export interface Bringing {
  readonly entries: readonly Entry[]
  readonly tooLarge: number
  readonly full: boolean
  readonly failed: Refusal | null
}

/** Reads them. One unreadable file does not hide the others; only if it is all there is, its Refusal is thrown. */
export async function readPicked(picking: Promise<readonly Picked[]>): Promise<Bringing> {
  const { groups, tooLarge, full } = grouped(await picking)
  const read = await Promise.allSettled(groups.map(entryOfGroup))
  const entries = read.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
  const failed = read.find((one) => one.status === 'rejected')?.reason as unknown
  if (failed === undefined) return { entries, tooLarge, full, failed: null }
  if (entries.length === 0 || !(failed instanceof Refusal)) throw failed
  return { entries, tooLarge, full, failed }
}
