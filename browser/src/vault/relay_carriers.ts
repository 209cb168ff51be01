/**
 * Two ways to the relay: a WebSocket, and where a network breaks those, plain requests with a stream of events.
 *
 * A carrier is one connection: it says the first frame, tells what the relay tells, and drops once. Tickets and tokens
 * stand in frames and bodies, never in an address (security C12).
 */

import { type Act, type Closing, readPost, readTold, type RelayTold, SUBPROTOCOL, writeAct, writePost } from '../pure/channel/wire.ts'
import { fromBase64, toBase64 } from './base64.ts'

/** One connection. Nothing is told after `end`, nor after `dropped`. */
export interface Carrier {
  send(sequence: number, body: Uint8Array): void
  close(why: Closing): void
  end(): void
}

/** What a carrier tells. `garbled`: the relay said what it never says. */
export interface Heard {
  told(told: RelayTold): void
  post(sequence: number, body: Uint8Array): void
  dropped(): void
  garbled(): void
}

/** What carriers use of the browser; a test brings its own. */
export interface Browser {
  readonly socket: (address: string, protocol: string) => WebSocket
  readonly fetch: typeof fetch
  readonly later: (act: () => void, ms: number) => () => void
}

export type Dial = (relay: string, first: Act, heard: Heard, browser: Browser) => Carrier

const OPEN_MS = 4_000
const ANSWER_MS = 5_000
const NORMAL = 1000

/** A WebSocket that has to open, and to answer, in time. */
export function bySocket(relay: string, first: Act, heard: Heard, browser: Browser): Carrier {
  let over = false
  const socket = browser.socket(`${relay.replace(/^http/, 'ws')}/copy`, SUBPROTOCOL)
  socket.binaryType = 'arraybuffer'
  const end = (): void => {
    over = true
    patience()
    socket.close(NORMAL)
  }
  const drop = (): void => {
    if (over) return
    end()
    heard.dropped()
  }
  let patience = browser.later(drop, OPEN_MS)
  socket.onopen = () => {
    patience()
    if (socket.protocol !== SUBPROTOCOL) return drop()
    patience = browser.later(drop, ANSWER_MS)
    socket.send(writeAct(first))
  }
  socket.onclose = drop
  socket.onerror = drop
  socket.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => {
    if (over) return
    patience()
    take(heard, () => (typeof data === 'string' ? told(heard, data) : post(heard, new Uint8Array(data))))
  }
  return {
    send: (sequence, body) => socket.send(writePost(sequence, body) as Uint8Array<ArrayBuffer>),
    close: (why) => socket.send(writeAct({ act: 'close', why })),
    end,
  }
}

function told(heard: Heard, text: string): () => void {
  const found = readTold(text)
  return () => heard.told(found)
}

function post(heard: Heard, bytes: Uint8Array): () => void {
  const { sequence, body } = readPost(bytes)
  return () => heard.post(sequence, body)
}

/** Reads, then tells: only what cannot be read is garbled. */
function take(heard: Heard, read: () => () => void): void {
  let tell = (): void => heard.garbled()
  try {
    tell = read()
  } catch {
    // ChannelBroken, or base64 that is none: told as garbled.
  }
  tell()
}

function toldOrNone(text: string): RelayTold | null {
  try {
    return readTold(text)
  } catch {
    return null
  }
}

const SILENT_MS = 25_000
const SEND_MS = 10_000
const BUFFER_MOST = 65_536

/** Requests: `begin`, then a stream of events; each message a request of its own, one after the other. */
export function byRequests(relay: string, first: Act, heard: Heard, browser: Browser): Carrier {
  return new Requests(relay, first, heard, browser)
}

class Requests implements Carrier {
  readonly #relay: string
  readonly #heard: Heard
  readonly #browser: Browser
  readonly #stop = new AbortController()
  #token = ''
  #last: Promise<void> = Promise.resolve()

  constructor(relay: string, first: Act, heard: Heard, browser: Browser) {
    this.#relay = relay
    this.#heard = heard
    this.#browser = browser
    void this.#begin(first)
  }

  send(sequence: number, body: Uint8Array): void {
    this.#queue('send', { seq: sequence, body: toBase64(body) })
  }

  close(why: Closing): void {
    this.#queue('close', { why })
  }

  end(): void {
    this.#stop.abort()
  }

  get #over(): boolean {
    return this.#stop.signal.aborted
  }

  #drop(): void {
    if (this.#over) return
    this.end()
    this.#heard.dropped()
  }

  /** What is no word of the relay comes from something between: a page of a proxy, of a hotel. */
  async #begin(first: Act): Promise<void> {
    const answer = await this.#post('begin', first, OPEN_MS + ANSWER_MS)
    const text = (await answer?.text().catch(() => null)) ?? ''
    if (this.#over) return
    const found = toldOrNone(text)
    if (found === null) return this.#drop()
    this.#token = first.act === 'resume' ? first.token : 'token' in found ? found.token : ''
    this.#heard.told(found)
    if (found.told !== 'refused' && found.told !== 'closed') void this.#listen(first.act === 'resume' ? first.got : 0)
  }

  /** One request after the other, so that the relay hears them in order. */
  #queue(path: string, fields: Readonly<Record<string, unknown>>): void {
    this.#last = this.#last.then(async () => {
      if (this.#over) return
      const answer = await this.#post(path, { token: this.#token, ...fields }, SEND_MS)
      if (answer?.ok !== true) this.#drop()
    })
  }

  async #listen(got: number): Promise<void> {
    if (this.#over) return
    const answer = await this.#post('events', { token: this.#token, got }, ANSWER_MS)
    if (answer?.ok !== true || answer.body === null) return this.#drop()
    await this.#events(answer.body).catch(() => undefined)
    this.#drop()
  }

  async #events(stream: ReadableStream<Uint8Array>): Promise<void> {
    const reader = stream.getReader()
    const decoder = new TextDecoder()
    let text = ''
    for (;;) {
      const still = this.#browser.later(() => this.#drop(), SILENT_MS)
      const { done, value } = await reader.read().finally(still)
      if (done || this.#over || text.length > BUFFER_MOST) return
      text += decoder.decode(value, { stream: true })
      const events = text.replaceAll('\r\n', '\n').split('\n\n')
      text = events.pop()!
      for (const event of events) this.#event(event)
    }
  }

  #event(text: string): void {
    const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith(':'))
    if (this.#over || lines.length === 0) return
    const field = (name: string): string => lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2) ?? ''
    const data = field('data')
    take(this.#heard, () => (field('event') === 'peer' ? post(this.#heard, fromBase64(data)) : told(this.#heard, data)))
  }

  /** A request without a preflight; null where no answer came in time. */
  async #post(path: string, fields: unknown, ms: number): Promise<Response | null> {
    const one = new AbortController()
    const abort = (): void => one.abort()
    this.#stop.signal.addEventListener('abort', abort)
    const still = this.#browser.later(abort, ms)
    try {
      return await this.#browser.fetch(`${this.#relay}/copy/${path}`, {
        method: 'POST',
        body: JSON.stringify(fields),
        credentials: 'omit',
        cache: 'no-store',
        redirect: 'error',
        referrerPolicy: 'no-referrer',
        signal: one.signal,
      })
    } catch {
      return null
    } finally {
      still()
    }
  }
}
