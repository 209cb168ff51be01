/** What the center answers about a form's keypad, checked before anything of it is used. */

import { fromBase64 } from '../vault/base64.ts'
import type { Key, Layout, Rows, ServerKey } from '../pure/keypad/layout.ts'

/** One keypad session. `public`: the uncompressed P-256 point; `ttl`: seconds. */
export interface Told {
  readonly keypad: string
  readonly flow: string
  readonly public: Uint8Array
  readonly ttl: number
  readonly fields: ReadonlyMap<string, Layout<ServerKey>>
}

/** Throws TypeError for anything that is no such answer. */
export function told(answer: unknown): Told {
  const { keypad, flow, public: key, ttl, fields } = record(answer)
  if (typeof keypad !== 'string' || !/^[0-9a-f]{32}$/.test(keypad)) throw new TypeError('keypad')
  if (typeof flow !== 'string' || typeof key !== 'string' || typeof ttl !== 'number') throw new TypeError('keypad')
  const layouts = Object.entries(record(fields)).map(([name, one]) => [name, layout(one)] as const)
  return { keypad, flow, public: fromBase64(key), ttl, fields: new Map(layouts) }
}

function layout(found: unknown): Layout<ServerKey> {
  const { kind, pages, space } = record(found)
  if (kind !== 'digits' && kind !== 'text') throw new TypeError('kind')
  const read = Object.entries(record(pages)).map(([name, one]) => [name, rows(one)] as const)
  return { kind, pages: Object.fromEntries(read), space: key(space) }
}

function rows(found: unknown): Rows<ServerKey> {
  if (!Array.isArray(found)) throw new TypeError('rows')
  return found.map((row: unknown) => {
    if (!Array.isArray(row)) throw new TypeError('row')
    return row.map(key)
  })
}

function key(found: unknown): Key<ServerKey> | null {
  if (found === null) return null
  if (!Array.isArray(found) || found.length !== 2) throw new TypeError('key')
  const [id, glyph]: unknown[] = found
  if (typeof id !== 'string' || !/^[0-9a-f]{4}$/.test(id) || typeof glyph !== 'string') throw new TypeError('key')
  return { id: id as ServerKey, glyph }
}

function record(found: unknown): Record<string, unknown> {
  if (typeof found !== 'object' || found === null || Array.isArray(found)) throw new TypeError('object')
  return found as Record<string, unknown>
}
