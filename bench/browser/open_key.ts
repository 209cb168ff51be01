/**
 * The page that measures how long a browser takes to open a key file: the first time after loading, and warm.
 *
 * Bundled with `esbuild --bundle --format=esm --loader:.key=binary`, opened as `open_key.html#pbe-sha1-seed`; the bench
 * reads the promise `globalThis.openKeyFigures`. Never part of the product's bundle.
 */

import { openKey } from '../../browser/src/pure/npki/key_file.ts'
// @ts-ignore: esbuild gives the bytes
import pbeSeed from '../../vectors/key-files/a-2048.key'
// @ts-ignore: esbuild gives the bytes
import pbes2Seed from '../../vectors/key-files/c-sha1-2048.key'
// @ts-ignore: esbuild gives the bytes
import pbes2Aes from '../../vectors/key-files/d-sha256-2048.key'
// @ts-ignore: esbuild gives the bytes
import pbes2Aria from '../../vectors/key-files/e-256-sha256-2048.key'

const PASSWORD = new TextEncoder().encode('ingam-Test#2026')
const ROUNDS = 41

const FILES: Readonly<Record<string, Uint8Array>> = {
  'pbe-sha1-seed': pbeSeed,
  'pbes2-seed': pbes2Seed,
  'pbes2-aes-256': pbes2Aes,
  'pbes2-aria-256': pbes2Aria,
}

/** Milliseconds: the first opening on this page, then median and quartiles of the warm ones. */
interface OpenFigures {
  readonly first: number
  readonly median: number
  readonly low: number
  readonly high: number
}

async function once(file: Uint8Array): Promise<number> {
  const started = performance.now()
  const key = await openKey(file, PASSWORD)
  const took = performance.now() - started
  key.wipe()
  return took
}

async function measured(file: Uint8Array): Promise<OpenFigures> {
  const first = await once(file)
  const warm: number[] = []
  for (let round = 0; round < ROUNDS; round++) warm.push(await once(file))
  warm.sort((one, other) => one - other)
  const at = (share: number): number => warm[Math.floor(share * (ROUNDS - 1))]!
  return { first, median: at(0.5), low: at(0.25), high: at(0.75) }
}

/** Which variant is measured: the fragment of the address, so that `first` is a page's very first opening. */
async function run(): Promise<OpenFigures> {
  const file = FILES[location.hash.slice(1)]
  if (file === undefined) throw new Error('the fragment names no variant')
  return measured(file)
}

Object.assign(globalThis, { openKeyFigures: run() })
