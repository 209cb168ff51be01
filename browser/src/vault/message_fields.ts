/** Reading the fields of a message strictly: exact names, exact forms, bounded lengths (security B2). */

import { Refusal } from '../pure/failure.ts'

export const HEX_32 = /^[0-9a-f]{64}$/
export const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/

/** Base64 of a PKIMessage of 64 KiB. */
export const CARRIED_MOST = 87_384

/** The message is not on the list or not in its form: code `message-refused`. */
export class MessageRefused extends Refusal {
  constructor(code: 'message-refused' | 'message-reserved' = 'message-refused') {
    super(code)
    this.name = 'MessageRefused'
  }
}

/** The fields of an object that is neither null nor a list. */
export function record(data: unknown): Record<string, unknown> {
  if (typeof data !== 'object' || data === null || Array.isArray(data)) throw new MessageRefused()
  return data as Record<string, unknown>
}

/** Throws unless the fields are exactly these. */
export function exactly(fields: Record<string, unknown>, names: readonly string[]): void {
  const found = Object.keys(fields)
  if (found.length !== names.length || !names.every((name) => found.includes(name))) throw new MessageRefused()
}

/** A text of a form. */
export function text(value: unknown, form: RegExp): string {
  if (typeof value !== 'string' || !form.test(value)) throw new MessageRefused()
  return value
}

/** Base64 of at most so many characters. */
export function base64(value: unknown, most: number): string {
  if (typeof value !== 'string' || value.length > most) throw new MessageRefused()
  return text(value, BASE64)
}

/** One of a closed list. */
export function oneOf<T extends string>(value: unknown, known: readonly T[]): T {
  const found = known.find((each) => each === value)
  if (found === undefined) throw new MessageRefused()
  return found
}

/** A list of one to `most` values, each read by `read`. */
export function listOf<T>(value: unknown, most: number, read: (each: unknown) => T): readonly T[] {
  if (!Array.isArray(value) || value.length < 1 || value.length > most) throw new MessageRefused()
  return value.map(read)
}
