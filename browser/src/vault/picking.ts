/**
 * Picked and dropped files, inside the vault's frame only (security B14).
 *
 * Of a folder only names are looked at, and only files whose name belongs to a certificate are opened; bounds come
 * first. Nothing of the listing leaves this frame.
 */

import { Refusal } from '../pure/failure.ts'
import type { Picked } from './entries.ts'
import { FILE_MOST, LISTING_MOST, mayMatter } from './listing.ts'

const DEPTH_MOST = 12

/** The files of an `<input type=file>`. */
export function pickedByInput(input: HTMLInputElement): Picked[] {
  const files = [...(input.files ?? [])].slice(0, LISTING_MOST)
  return files.map((file) => picking(file.webkitRelativePath || file.name, file))
}

function picking(path: string, file: File): Picked {
  return { path, size: file.size, read: () => readBytes(file) }
}

async function readBytes(file: File): Promise<Uint8Array> {
  if (file.size > FILE_MOST) throw new Refusal('file-too-large')
  try {
    return new Uint8Array(await file.arrayBuffer())
  } catch {
    // A stick that was pulled out, or a file that changed since it was picked.
    throw new Refusal('file-unreadable')
  }
}

/** The files of a drop, folders walked through. Call it in the event itself: the items are gone afterwards. */
export function pickedByDrop(transfer: DataTransfer): Promise<Picked[]> {
  const entries = [...transfer.items].map((item) => (item.kind === 'file' ? item.webkitGetAsEntry() : null))
  const found: Picked[] = []
  const walk: Walk = { looked: 0, found }
  return each(entries.filter((entry) => entry !== null), walk, 0).then(() => found)
}

interface Walk {
  looked: number
  readonly found: Picked[]
}

async function each(entries: readonly FileSystemEntry[], walk: Walk, depth: number): Promise<void> {
  for (const entry of entries) {
    walk.looked += 1
    if (walk.looked > LISTING_MOST) return
    if (entry.isFile && (depth === 0 || mayMatter(entry.name))) await take(entry as FileSystemFileEntry, walk)
    if (entry.isDirectory && depth < DEPTH_MOST) await into(entry as FileSystemDirectoryEntry, walk, depth)
  }
}

async function take(entry: FileSystemFileEntry, walk: Walk): Promise<void> {
  const file = await new Promise<File | null>((resolve) => entry.file(resolve, () => resolve(null)))
  if (file !== null) walk.found.push(picking(entry.fullPath.replace(/^\//, ''), file))
}

async function into(directory: FileSystemDirectoryEntry, walk: Walk, depth: number): Promise<void> {
  const reader = directory.createReader()
  // A reader gives at most a hundred at a time, and an empty list at the end.
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve) => reader.readEntries(resolve, () => resolve([])))
    if (some.length === 0 || walk.looked > LISTING_MOST) return
    await each(some, walk, depth + 1)
  }
}
