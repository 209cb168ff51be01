/**
 * Looks through the camera for a QR of a copy, and tells what keeps it from finding one (security C5).
 *
 * Whatever happens, the person has the number as the other way. A QR of something else is named and not followed.
 */

import { type Code, readQr } from '../../pure/channel/number.ts'
import { Refusal } from '../../pure/failure.ts'
import { type Camera, CameraClosed, type CameraTrouble, openCamera } from './camera.ts'
import type { Texts } from './picture.ts'
import { type Reader, startReader } from './readers.ts'

/** Besides why the camera is closed: a QR that is none of ours was seen, or none at all for a while. It looks on. */
export type ScanTrouble = CameraTrouble | 'scan-other' | 'scan-slow'

/** What a scanner uses of the page; a test brings its own. */
export interface Eyes {
  readonly open: (video: HTMLVideoElement, ended: () => void) => Promise<Camera>
  readonly reader: (name: 'scan' | 'scan_wasm', found: (texts: Texts) => void) => Reader
  readonly every: (act: () => void, ms: number) => () => void
  readonly now: () => number
}

const LOOK_MS = 120
const WASM_AFTER_MS = 4_000
const SLOW_AFTER_MS = 8_000
const OTHER_EVERY_MS = 3_000

const EYES: Eyes = {
  open: openCamera,
  reader: startReader,
  every: (act, ms) => {
    const beat = setInterval(act, ms)
    return () => clearInterval(beat)
  },
  now: () => performance.now(),
}

export class Scanner {
  readonly #video: HTMLVideoElement
  readonly #found: (code: Code) => void
  readonly #trouble: (code: ScanTrouble) => void
  readonly #eyes: Eyes
  #looking: Looking | null = null

  /** `found` is told once, when the camera is closed again. */
  constructor(video: HTMLVideoElement, found: (code: Code) => void, trouble: (code: ScanTrouble) => void, eyes: Eyes = EYES) {
    this.#video = video
    this.#found = found
    this.#trouble = trouble
    this.#eyes = eyes
  }

  /** Opens the camera and looks until something is found, or until `stop`. */
  async start(): Promise<void> {
    this.stop()
    const looking = new Looking(this.#eyes, (texts) => this.#take(texts), (code) => this.#trouble(code))
    this.#looking = looking
    try {
      await looking.open(this.#video, () => this.#fail('scan-busy'))
    } catch (failure) {
      if (this.#looking !== looking) return
      this.#fail(failure instanceof CameraClosed ? failure.trouble : 'scan-failed')
    }
  }

  /** Closes the camera. */
  stop(): void {
    this.#looking?.end()
    this.#looking = null
  }

  #fail(code: CameraTrouble): void {
    this.stop()
    this.#trouble(code)
  }

  #take(texts: Texts): void {
    const code = texts.map(codeOf).find((each) => each !== null)
    if (code === undefined || code === null) {
      if (texts.length > 0) this.#looking?.other()
      return
    }
    this.stop()
    this.#found(code)
  }
}

function codeOf(text: string): Code | null {
  try {
    return readQr(text)
  } catch (failure) {
    if (failure instanceof Refusal) return null
    throw failure
  }
}

/** One opening of the camera, to its end. */
class Looking {
  readonly #eyes: Eyes
  readonly #took: (texts: Texts) => void
  readonly #trouble: (code: ScanTrouble) => void
  readonly #readers: Reader[] = []
  readonly #ends: (() => void)[] = []
  #over = false
  #began = 0
  #slow = false
  #other = Number.NEGATIVE_INFINITY

  constructor(eyes: Eyes, took: (texts: Texts) => void, trouble: (code: ScanTrouble) => void) {
    this.#eyes = eyes
    this.#took = took
    this.#trouble = trouble
  }

  async open(video: HTMLVideoElement, ended: () => void): Promise<void> {
    const camera = await this.#eyes.open(video, () => {
      if (!this.#over) ended()
    })
    // Stopped while the person was being asked.
    if (this.#over) return camera.close()
    this.#began = this.#eyes.now()
    this.#ends.push(() => camera.close())
    this.#start('scan')
    this.#ends.push(this.#eyes.every(() => this.#look(camera), LOOK_MS))
  }

  end(): void {
    this.#over = true
    for (const end of this.#ends.splice(0)) end()
    for (const reader of this.#readers.splice(0)) reader.end()
  }

  /** Another QR: said now and then, since the camera sees it many times a second. */
  other(): void {
    const now = this.#eyes.now()
    if (now - this.#other < OTHER_EVERY_MS) return
    this.#other = now
    this.#trouble('scan-other')
  }

  #start(name: 'scan' | 'scan_wasm'): void {
    this.#readers.push(this.#eyes.reader(name, (texts) => {
      if (!this.#over) this.#took(texts)
    }))
  }

  #look(camera: Camera): void {
    const since = this.#eyes.now() - this.#began
    if (since >= WASM_AFTER_MS && this.#readers.length === 1) this.#start('scan_wasm')
    if (since >= SLOW_AFTER_MS && !this.#slow) {
      this.#slow = true
      this.#trouble('scan-slow')
    }
    // A picture belongs to the reader that takes it: each has its own.
    for (const reader of this.#readers) {
      const picture = reader.free ? camera.look() : null
      if (picture !== null) reader.read(picture)
    }
  }
}
