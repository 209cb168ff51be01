/** The files of `vectors/` that Python and TypeScript read alike. */

import { readdirSync, readFileSync } from 'node:fs'
import { refusalCode } from '../../src/pure/failure.ts'

const ROOT = new URL('../../../vectors/', import.meta.url)

/** Bytes of a file of `vectors/`. */
export function bytes(path: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(path, ROOT)))
}

/** A JSON file of `vectors/`; its shape is the test's to know. */
export function json<T>(path: string): T {
  return JSON.parse(readFileSync(new URL(path, ROOT), 'utf8')) as T
}

/** Names of the files in a folder of `vectors/`. */
export function names(folder: string): string[] {
  return readdirSync(new URL(folder, ROOT)).sort()
}

/** UTF-8 of a text. */
export function text(value: string): Uint8Array {
  return new TextEncoder().encode(value)
}

/** The code with which something is refused; `done` where it is not. */
export async function codeOf(doing: () => unknown): Promise<string> {
  try {
    await doing()
  } catch (failure) {
    return refusalCode(failure)
  }
  return 'done'
}

/** Bytes that are the same on every run: n, n + 1, n + 2 … from a seed. */
export function counted(seed: number): (count: number) => Uint8Array {
  let next = seed
  return (count) => Uint8Array.from({ length: count }, () => next++ & 0xff)
}
