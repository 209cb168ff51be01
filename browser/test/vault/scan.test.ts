/** Drawing a QR, reading it in hard pictures with both readers, and looking through a camera (security B3, C5). */

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { before, test } from 'node:test'
import { type Code, qrText } from '../../src/pure/channel/number.ts'
import { type Camera, CameraClosed, troubleOf } from '../../src/vault/scan/camera.ts'
import { bounded, type Picture, type Texts } from '../../src/vault/scan/picture.ts'
import { qrPath } from '../../src/vault/scan/qr_picture.ts'
import type { Reader } from '../../src/vault/scan/readers.ts'
import { read } from '../../src/vault/scan/reading.ts'
import { prepare, read as readWasm } from '../../src/vault/scan/reading_wasm.ts'
import { type Eyes, Scanner, type ScanTrouble } from '../../src/vault/scan/scanner.ts'
import { counted } from '../pure/vectors.ts'

const TEXT = qrText('41234', '5678901', counted(7)(16))
const WASM = createRequire(import.meta.url).resolve('zxing-wasm/reader/zxing_reader.wasm')

before(async () => {
  const bytes = readFileSync(WASM)
  await prepare({ wasmBinary: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer })
})

/** The modules of a path, as `M x y h n` says them. */
function modules(text: string): { readonly size: number; readonly dark: ReadonlySet<number> } {
  const { size, path } = qrPath(text)
  const dark = new Set<number>()
  for (const [, x, y, length] of path.matchAll(/M(\d+) (\d+)h(\d+)v1h-\3z/g)) {
    for (let at = 0; at < Number(length); at++) dark.add(Number(y) * size + Number(x) + at)
  }
  return { size, dark }
}

interface Seen {
  readonly scale?: number
  readonly turn?: number
  readonly blur?: number
  readonly light?: readonly [number, number]
  readonly noise?: number
  readonly around?: number
}

/** A photograph of a QR on a screen: turned, out of focus, badly lit, grainy; the same on every run. */
function photograph(text: string, { scale = 6, turn = 0, blur = 0, light = [20, 235], noise = 0, around = 60 }: Seen): Picture {
  const { size, dark } = modules(text)
  const side = Math.round(size * scale + 2 * around)
  const grey = new Float32Array(side * side)
  const [sin, cos] = [Math.sin(turn), Math.cos(turn)]
  for (let at = 0; at < grey.length; at++) {
    const [x, y] = [(at % side) - side / 2, Math.floor(at / side) - side / 2]
    const [column, row] = [Math.floor((x * cos + y * sin) / scale + size / 2), Math.floor((y * cos - x * sin) / scale + size / 2)]
    const inside = column >= 0 && row >= 0 && column < size && row < size
    grey[at] = inside ? light[dark.has(row * size + column) ? 0 : 1] : light[0] + 30
  }
  const soft = blurred(grey, side, blur)
  const pixels = new Uint8ClampedArray(4 * side * side)
  let seed = 7
  for (let at = 0; at < soft.length; at++) {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648
    pixels.fill(soft[at]! + (seed / 2_147_483_648 - 0.5) * noise, 4 * at, 4 * at + 3)
    pixels[4 * at + 3] = 255
  }
  return { width: side, height: side, pixels }
}

function blurred(grey: Float32Array, side: number, radius: number): Float32Array {
  if (radius === 0) return grey
  const along = (from: Float32Array, step: number): Float32Array =>
    from.map((_, at) => {
      let sum = 0
      for (let by = -radius; by <= radius; by++) sum += from[at + by * step] ?? 128
      return sum / (2 * radius + 1)
    })
  return along(along(grey, 1), side)
}

test('a QR is drawn with four white modules on every side, at a level that stands a quarter of dirt', () => {
  const { size, dark } = modules(TEXT)
  assert.equal(size, 29 + 8)
  for (const at of dark) {
    for (const place of [at % size, Math.floor(at / size)]) assert.ok(place >= 4 && place < size - 4)
  }
})

const HARD: readonly Seen[] = [
  {},
  { turn: 0.35 },
  { turn: 3 },
  { scale: 3.3, around: 200 },
  { blur: 3 },
  { noise: 120 },
  { scale: 4.7, turn: 0.8, blur: 1, light: [70, 150], noise: 30, around: 120 },
]

for (const seen of HARD) {
  test(`read by both: ${JSON.stringify(seen)}`, async () => {
    assert.deepEqual(read(photograph(TEXT, seen)), [TEXT])
    assert.deepEqual(await readWasm(photograph(TEXT, seen)), [TEXT])
  })
}

test('what the first reader does not see the second may', async () => {
  const pale = photograph(TEXT, { light: [100, 140] })
  assert.deepEqual(read(pale), [])
  assert.deepEqual(await readWasm(pale), [TEXT])
})

test('a picture without a QR, or with nothing at all, is read as none', async () => {
  const pixels = new Uint8ClampedArray(4 * 200 * 200).fill(200)
  for (const picture of [{ width: 200, height: 200, pixels }, { width: 1, height: 1, pixels: new Uint8ClampedArray(4) }]) {
    assert.deepEqual(read(picture), [])
    assert.deepEqual(await readWasm(picture), [])
  }
})

test('no more leaves a worker than tells ours from others', () => {
  assert.deepEqual(bounded(Array.from({ length: 9 }, () => 'x'.repeat(5000))), Array.from({ length: 4 }, () => 'x'.repeat(64)))
})

test('why a camera does not open has its own code', () => {
  const of = (name: string): string => troubleOf(new DOMException('', name))
  assert.deepEqual(
    ['NotAllowedError', 'SecurityError', 'NotFoundError', 'OverconstrainedError', 'NotReadableError', 'AbortError', 'DataError'].map(of),
    ['scan-denied', 'scan-denied', 'scan-no-camera', 'scan-no-camera', 'scan-busy', 'scan-busy', 'scan-failed'],
  )
  assert.equal(troubleOf(null), 'scan-failed')
})

/** A page whose camera, workers and clock are the test's. */
class Room {
  readonly told: ScanTrouble[] = []
  readonly found: Code[] = []
  readonly readers: { readonly name: string; readonly found: (texts: Texts) => void; pictures: number; free: boolean; ended: boolean }[] = []
  cameras = 0
  opened = 0
  failure: unknown = null
  ended: () => void = () => undefined
  #admit: (() => void) | null = null
  #now = 0
  #beat: (() => void) | null = null

  readonly eyes: Eyes = {
    open: async (_video, ended) => {
      await new Promise<void>((resolve) => void (this.#admit = resolve))
      if (this.failure !== null) throw this.failure
      this.opened++
      this.cameras++
      this.ended = ended
      const camera: Camera = {
        look: () => ({ width: 1, height: 1, pixels: new Uint8ClampedArray(4) }),
        close: () => void this.cameras--,
      }
      return camera
    },
    reader: (name, found) => {
      const made = { name, found, pictures: 0, free: true, ended: false }
      this.readers.push(made)
      const reader: Reader = {
        get free() {
          return made.free
        },
        read: () => {
          made.pictures++
          made.free = false
        },
        end: () => void (made.ended = true),
      }
      return reader
    },
    every: (act) => {
      this.#beat = act
      return () => void (this.#beat = null)
    },
    now: () => this.#now,
  }

  readonly scanner = new Scanner(
    {} as HTMLVideoElement,
    (code) => void this.found.push(code),
    (code) => void this.told.push(code),
    this.eyes,
  )

  /** The person lets the page use the camera, or not. */
  async start(): Promise<void> {
    const started = this.scanner.start()
    this.#admit!()
    await started
  }

  pass(ms: number): void {
    for (const until = this.#now + ms; this.#now < until; ) {
      this.#now += 100
      this.#beat?.()
    }
  }

  /** A reader answers the picture that it has. */
  reads(at: number, ...texts: readonly string[]): void {
    this.readers[at]!.free = true
    this.readers[at]!.found(texts)
  }

  get quiet(): boolean {
    return this.cameras === 0 && this.#beat === null && this.readers.every(({ ended }) => ended)
  }
}

test('a QR of a copy is told once, with the camera closed before', async () => {
  const room = new Room()
  await room.start()
  room.pass(500)
  assert.deepEqual([room.readers.length, room.readers[0]!.pictures], [1, 1])
  room.reads(0)
  room.pass(100)
  assert.equal(room.readers[0]!.pictures, 2)
  room.reads(0, TEXT)
  assert.ok(room.quiet)
  room.reads(0, TEXT)
  assert.deepEqual(room.found.map(({ mode, mailbox }) => [mode, mailbox]), [['q', '41234']])
  assert.deepEqual(room.told, [])
})

test('C5 a QR of something else is named now and then, and never followed', async () => {
  const room = new Room()
  await room.start()
  for (let times = 0; times < 20; times++) {
    room.pass(200)
    room.reads(0, 'https://pay.example/412345678901')
  }
  assert.deepEqual(room.told, ['scan-other', 'scan-other'])
  assert.deepEqual(room.found, [])
  room.reads(0, 'https://pay.example', TEXT)
  assert.equal(room.found.length, 1)
})

test('after four seconds the second reader is started, once, and either may find it; after eight it is said', async () => {
  const room = new Room()
  await room.start()
  room.pass(3_900)
  assert.deepEqual(room.readers.map(({ name }) => name), ['scan'])
  room.pass(200)
  assert.deepEqual(room.readers.map(({ name }) => name), ['scan', 'scan_wasm'])
  room.pass(10_000)
  assert.deepEqual(room.told, ['scan-slow'])
  assert.equal(room.readers.length, 2)
  room.reads(1, TEXT)
  assert.equal(room.found.length, 1)
  assert.ok(room.quiet)
})

test('a camera that does not open is told with its code, and may be tried again', async () => {
  const room = new Room()
  room.failure = new CameraClosed('scan-denied')
  await room.start()
  room.failure = new TypeError('something else')
  await room.start()
  assert.deepEqual(room.told, ['scan-denied', 'scan-failed'])
  assert.ok(room.quiet)
  room.failure = null
  await room.start()
  room.pass(100)
  room.reads(0, TEXT)
  assert.equal(room.found.length, 1)
})

test('a camera that is taken away is told, once', async () => {
  const room = new Room()
  await room.start()
  room.ended()
  room.ended()
  assert.deepEqual(room.told, ['scan-busy'])
  assert.ok(room.quiet)
})

test('whoever leaves while the browser still asks leaves no camera open', async () => {
  const room = new Room()
  const started = room.start()
  room.scanner.stop()
  await started
  assert.deepEqual([room.opened, room.cameras, room.told], [1, 0, []])
  assert.ok(room.quiet)
})
