/** The page's side of the workers that read pictures. */

import { workerAddress } from '../worker_address.ts'
import type { Picture, Texts } from './picture.ts'

/** One worker: a picture at a time, texts back. */
export interface Reader {
  /** Whether it waits for a picture. */
  readonly free: boolean
  read(picture: Picture): void
  end(): void
}

/** Starts a worker. `found`: the texts of a picture, in order; a worker that fails stays busy for ever and does no harm. */
export function startReader(name: 'scan' | 'scan_wasm', found: (texts: Texts) => void): Reader {
  const worker = new Worker(workerAddress(name), { type: 'module', name: `ingam-${name}` })
  let free = true
  worker.onmessage = ({ data }: MessageEvent<Texts>) => {
    free = true
    found(data)
  }
  return {
    get free() {
      return free
    },
    read: (picture) => {
      free = false
      worker.postMessage(picture, [picture.pixels.buffer])
    },
    end: () => worker.terminate(),
  }
}
