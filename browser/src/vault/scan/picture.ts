/** What goes to a worker that reads pictures, and what comes back: pixels one way, texts the other. */

/** RGBA, four octets a pixel; moved, not copied. */
export interface Picture {
  readonly width: number
  readonly height: number
  readonly pixels: Uint8ClampedArray<ArrayBuffer>
}

/** Texts of the QRs that were found, at most 4 of at most 64 characters: enough to tell ours from others. */
export type Texts = readonly string[]

const TEXTS_MOST = 4
const TEXT_MOST = 64

/** What leaves a worker. */
export function bounded(texts: Texts): Texts {
  return texts.slice(0, TEXTS_MOST).map((text) => text.slice(0, TEXT_MOST))
}

/** The scope of a worker that reads pictures. */
export interface ReadingScope {
  onmessage: ((event: MessageEvent<Picture>) => void) | null
  postMessage(texts: Texts): void
}
