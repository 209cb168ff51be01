/** A browser for the link to the relay in which a test is the relay, the network and the clock. */

import { type Act, SUBPROTOCOL } from '../../src/pure/channel/wire.ts'
import type { Platform, Told } from '../../src/vault/relay_link.ts'

export const RELAY = 'http://localhost:8705'
export const TOKEN = 'iH-O4DoEqaDU_HZsKR9q0DyT4rTviUJiZ_j0Ti4KFGs'
export const ENDS = '2026-11-26T06:00:00Z'

/** A WebSocket whose other end is the test. */
export class Socket {
  readonly address: string
  readonly wanted: string
  readonly said: (string | Uint8Array)[] = []
  protocol = ''
  binaryType = 'blob'
  closed = false
  onopen: (() => void) | null = null
  onclose: (() => void) | null = null
  onerror: (() => void) | null = null
  onmessage: ((event: { data: unknown }) => void) | null = null

  constructor(address: string, wanted: string) {
    this.address = address
    this.wanted = wanted
  }

  send(data: string | Uint8Array): void {
    this.said.push(data)
  }

  close(): void {
    this.closed = true
  }

  open(protocol = SUBPROTOCOL): this {
    this.protocol = protocol
    this.onopen?.()
    return this
  }

  tells(message: object): this {
    this.onmessage?.({ data: JSON.stringify(message) })
    return this
  }

  garbles(text: string): void {
    this.onmessage?.({ data: text })
  }

  carries(sequence: number, ...body: readonly number[]): this {
    this.onmessage?.({ data: Uint8Array.from([0, 0, 0, sequence, ...body]).buffer })
    return this
  }

  drops(): void {
    this.onerror?.()
    this.onclose?.()
  }

  /** The texts that it was sent, as objects. */
  get acts(): readonly Act[] {
    return this.said.flatMap((each) => (typeof each === 'string' ? [JSON.parse(each) as Act] : []))
  }

  /** The posts: sequence and octets. */
  get posts(): readonly (readonly number[])[] {
    return this.said.flatMap((each) => (typeof each === 'string' ? [] : [[...each.slice(3)]]))
  }
}

/** A request of the fallback that the test answers. */
export interface Asked {
  readonly path: string
  readonly fields: Record<string, unknown>
  readonly init: RequestInit
  answers(body: object | string, status?: number): void
  fails(): void
}

/** An event stream that the test writes. */
export class Stream {
  #out: ReadableStreamDefaultController<Uint8Array> | null = null
  readonly body = new ReadableStream<Uint8Array>({ start: (out) => void (this.#out = out) })

  writes(text: string): void {
    this.#out!.enqueue(new TextEncoder().encode(text))
  }

  tells(message: object): void {
    this.writes(`event: told\ndata: ${JSON.stringify(message)}\n\n`)
  }

  carries(sequence: number, ...body: readonly number[]): void {
    this.writes(`event: peer\ndata: ${btoa(String.fromCharCode(0, 0, 0, sequence, ...body))}\n\n`)
  }

  drops(): void {
    this.#out!.error(new TypeError('failed to read'))
  }
}

interface Timer {
  readonly at: number
  readonly act: () => void
}

/** Everything that a link uses; time passes by `pass` alone. */
export class World {
  readonly sockets: Socket[] = []
  readonly asked: Asked[] = []
  readonly told: Told[] = []
  readonly #timers = new Set<Timer>()
  readonly #online = new Set<() => void>()
  #now = 0

  readonly by: Platform = {
    socket: (address, wanted) => {
      const made = new Socket(address, wanted)
      this.sockets.push(made)
      return made as unknown as WebSocket
    },
    fetch: (address, init) => this.#fetch(String(address), init!),
    later: (act, ms) => {
      const timer = { at: this.#now + ms, act }
      this.#timers.add(timer)
      return () => void this.#timers.delete(timer)
    },
    random: () => 0.5,
    online: (act) => {
      this.#online.add(act)
      return () => void this.#online.delete(act)
    },
  }

  readonly tell = (told: Told): void => void this.told.push(told)

  get socket(): Socket {
    return this.sockets.at(-1)!
  }

  get request(): Asked {
    return this.asked.at(-1)!
  }

  /** What is waited for still: nothing may be left of a link that has ended. */
  get waiting(): number {
    return this.#timers.size + this.#online.size
  }

  networkComesBack(): void {
    for (const act of [...this.#online]) act()
  }

  pass(ms: number): void {
    const until = this.#now + ms
    for (;;) {
      const next = [...this.#timers].filter(({ at }) => at <= until).sort((one, other) => one.at - other.at)[0]
      if (next === undefined) break
      this.#timers.delete(next)
      this.#now = next.at
      next.act()
    }
    this.#now = until
  }

  #fetch(address: string, init: RequestInit): Promise<Response> {
    return new Promise((resolve, reject) => {
      init.signal!.addEventListener('abort', () => reject(new DOMException('aborted', 'AbortError')))
      const path = address.replace(`${RELAY}/copy/`, '')
      const answers = (body: object | string, status = 200): void => {
        if (body instanceof Stream) init.signal!.addEventListener('abort', () => body.drops())
        const given = body instanceof Stream ? body.body : typeof body === 'string' ? body : JSON.stringify(body)
        resolve(new Response(given, { status }))
      }
      const fails = (): void => reject(new TypeError('failed to fetch'))
      this.asked.push({ path, fields: JSON.parse(String(init.body)) as Record<string, unknown>, init, answers, fails })
    })
  }
}

/** Lets promises that are settled run on. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
}
