/**
 * The vault's storage in this browser: records by id in IndexedDB, written strictly and read back (security B6, B12, B15).
 *
 * Records can be listed and removed without a password; a key file comes out of one only with it.
 */

import { type DBSchema, type IDBPDatabase, openDB } from 'idb'
import { Refusal } from '../pure/failure.ts'
import { type Draft, outlived, sameDraft } from './draft.ts'
import { type KeptRecord, sameRecord } from './record.ts'

const NAME = 'ingam-vault'
const RECORDS_MOST = 50

interface Schema extends DBSchema {
  records: { key: string; value: KeptRecord }
  drafts: { key: string; value: Draft }
  /** The key of this device for a record's 간편비밀번호, by the handle of the center's key; no script can take it out. */
  pins: { key: string; value: CryptoKey }
  /** What is tried before it counts: a mark, or a record that is to take the place of one. */
  trial: { key: string; value: number | KeptRecord }
}

/** This browser keeps nothing here (a private window, or no room): code `cannot-keep`. */
export class CannotKeep extends Refusal {
  constructor() {
    super('cannot-keep')
    this.name = 'CannotKeep'
  }
}

function database(): Promise<IDBPDatabase<Schema>> {
  return openDB<Schema>(NAME, 3, {
    upgrade(db, before) {
      if (before < 1) {
        db.createObjectStore('records', { keyPath: 'id' })
        db.createObjectStore('trial')
      }
      if (before < 2) db.createObjectStore('drafts', { keyPath: 'flow' })
      if (before < 3) db.createObjectStore('pins')
    },
  })
}

async function using<T>(act: (db: IDBPDatabase<Schema>) => Promise<T>): Promise<T> {
  const db = await database()
  try {
    return await act(db)
  } finally {
    db.close()
  }
}

/** Every kept record; none where the browser gives no storage. */
export async function kept(): Promise<readonly KeptRecord[]> {
  try {
    return await using((db) => db.getAll('records', undefined, RECORDS_MOST))
  } catch {
    return []
  }
}

/** Keeps a new record: writes, closes, reads back and compares. Throws CannotKeep; then nothing of it is left. */
export async function store(record: KeptRecord): Promise<void> {
  if (await writtenBack(record)) return
  await remove(record.id).catch(() => undefined)
  throw new CannotKeep()
}

/** Writes a record in the place of its older form; where that fails (false), the older one stands and still opens. */
export async function replace(record: KeptRecord): Promise<boolean> {
  return writtenBack(record)
}

async function writtenBack(record: KeptRecord): Promise<boolean> {
  try {
    await using(async (db) => {
      const transaction = db.transaction('records', 'readwrite', { durability: 'strict' })
      await Promise.all([transaction.store.put(record), transaction.done])
    })
    const back = await using((db) => db.get('records', record.id))
    return back !== undefined && sameRecord(back, record)
  } catch {
    // Whatever the browser's reason, the person keeps the file and nothing was lost.
    return false
  }
}

/**
 * Lays a changed record beside the one whose place it is to take, and gives it as it was read back, so that it can be
 * opened before the older one is given up. Throws CannotKeep; the older one stands.
 */
export async function tried(record: KeptRecord): Promise<KeptRecord> {
  try {
    await using(async (db) => {
      const transaction = db.transaction('trial', 'readwrite', { durability: 'strict' })
      await Promise.all([transaction.store.put(record, trialOf(record.id)), transaction.done])
    })
    const back = await using((db) => db.get('trial', trialOf(record.id)))
    if (typeof back === 'object' && sameRecord(back, record)) return back
  } catch {
    // The reason is the browser's own; what matters is that it is not kept.
  }
  throw new CannotKeep()
}

/** Takes away what was laid beside a record. */
export async function untry(id: string): Promise<void> {
  await using((db) => db.delete('trial', trialOf(id))).catch(() => undefined)
}

function trialOf(id: string): string {
  return `changing ${id}`
}

/** The record of an id as it lies in the storage, or null. */
export async function recordOf(id: string): Promise<KeptRecord | null> {
  try {
    return (await using((db) => db.get('records', id))) ?? null
  } catch {
    return null
  }
}

/** Keeps the device key of a handle: writes, closes, and reads back that it is there. Throws CannotKeep. */
export async function keepPinKey(handle: string, key: CryptoKey): Promise<void> {
  try {
    await using(async (db) => {
      const transaction = db.transaction('pins', 'readwrite', { durability: 'strict' })
      await Promise.all([transaction.store.put(key, handle), transaction.done])
    })
    if ((await pinKeyOf(handle)) !== null) return
  } catch {
    // The reason is the browser's own; what matters is that it is not kept.
  }
  throw new CannotKeep()
}

/** The device key of a handle, or null. */
export async function pinKeyOf(handle: string): Promise<CryptoKey | null> {
  try {
    return (await using((db) => db.get('pins', handle))) ?? null
  } catch {
    return null
  }
}

/** Removes a device key, where there is one. */
export async function forgetPinKey(handle: string): Promise<void> {
  await using((db) => db.delete('pins', handle)).catch(() => undefined)
}

/** Keeps a draft, new or in the place of its older form: writes strictly, reads back, compares. Throws CannotKeep. */
export async function storeDraft(draft: Draft): Promise<Draft> {
  try {
    await using(async (db) => {
      const transaction = db.transaction('drafts', 'readwrite', { durability: 'strict' })
      await Promise.all([transaction.store.put(draft), transaction.done])
    })
    const back = await draftOf(draft.flow)
    if (back !== null && sameDraft(back, draft)) return back
  } catch {
    // The reason is the browser's own; what matters is that it is not kept.
  }
  throw new CannotKeep()
}

/** The draft of a flow as it lies in the storage, or null. */
export async function draftOf(flow: string): Promise<Draft | null> {
  try {
    return (await using((db) => db.get('drafts', flow))) ?? null
  } catch {
    return null
  }
}

/** Removes a draft, where there is one. */
export async function removeDraft(flow: string): Promise<void> {
  try {
    await using(async (db) => {
      const transaction = db.transaction('drafts', 'readwrite', { durability: 'strict' })
      await Promise.all([transaction.store.delete(flow), transaction.done])
    })
  } catch {
    // It opens nothing without its password, and is cleared away later.
  }
}

/** Clears away drafts of other flows that are of no more use. */
export async function clearDrafts(except: string, now: number): Promise<void> {
  try {
    const all = await using((db) => db.getAll('drafts', undefined, RECORDS_MOST))
    for (const each of all) if (each.flow !== except && outlived(each, now)) await removeDraft(each.flow)
  } catch {
    // Where nothing can be read there is nothing to clear.
  }
}

/** Removes a record; the certificate itself stays valid and is not revoked. */
export async function remove(id: string): Promise<void> {
  await using(async (db) => {
    const transaction = db.transaction('records', 'readwrite', { durability: 'strict' })
    await Promise.all([transaction.store.delete(id), transaction.done])
  })
}

/** Whether this browser keeps what is written: a write and a read, since private windows tell by nothing else (B12). */
export async function canKeep(): Promise<boolean> {
  try {
    return await using(async (db) => {
      const mark = Math.floor(performance.now())
      await db.put('trial', mark, 'mark')
      const back = await db.get('trial', 'mark')
      await db.delete('trial', 'mark')
      return back === mark
    })
  } catch {
    return false
  }
}

/** Asks the browser not to clear the vault by itself; its answer is shown to the person (B12). */
export async function askToPersist(): Promise<boolean> {
  try {
    return (await navigator.storage.persisted()) || (await navigator.storage.persist())
  } catch {
    return false
  }
}
