/**
 * The link to the relay of one run: what is sent arrives once and in order, what comes is told once and in order (C8).
 *
 * A connection that drops is taken up again by its token; the same bytes are sent again, never new ones. After 30
 * seconds without the relay it is lost. A WebSocket first; where none opens, requests and a stream of events.
 */

import type { Why } from '../pure/channel/states.ts'
import { type Act, type Closing, MESSAGES_MOST, type RelayTold } from '../pure/channel/wire.ts'
import { type Browser, byRequests, bySocket, type Carrier, type Dial, type Heard } from './relay_carriers.ts'

/** What a run begins with: a ticket of the center, good for once. */
export interface First {
  readonly act: 'open' | 'join'
  readonly ticket: string
}

/**
 * What the owner of the link is told. `ends`: milliseconds since 1970, or null where the relay did not say. `away` and
 * `back`: the other side's connection; `dropped` and `resumed`: our own. `closed`, `refused`, `lost` come last.
 */
export type Told =
  | { readonly told: 'opened'; readonly mailbox: string; readonly ends: number }
  | { readonly told: 'joined'; readonly ends: number }
  | { readonly told: 'peer'; readonly ends: number | null }
  | { readonly told: 'heard'; readonly body: Uint8Array }
  | { readonly told: 'away' | 'back' | 'dropped' | 'resumed' }
  | { readonly told: 'closed'; readonly why: Why }
  | { readonly told: 'refused'; readonly code: string; readonly s: number | null }
  | { readonly told: 'lost' }

/** What a link uses of the browser; a test brings its own. `online`: calls when a network came back, until undone. */
export interface Platform extends Browser {
  readonly random: () => number
  readonly online: (act: () => void) => () => void
}

const LOST_MS = 30_000
const CLOSED_MS = 5_000
const WAITS_MS = [250, 500, 1_000, 2_000, 4_000] as const
const KINDS: Readonly<Record<'socket' | 'requests', Dial>> = { socket: bySocket, requests: byRequests }
/** With a resume: another node, or this one a little later, may take it. */
const PASSING: readonly string[] = ['relay-outage', 'relay-stopping']

const BROWSER: Platform = {
  socket: (address, protocol) => new WebSocket(address, protocol),
  fetch: (...asked) => fetch(...asked),
  later: (act, ms) => {
    const timer = setTimeout(act, ms)
    return () => clearTimeout(timer)
  },
  random: () => Math.random(),
  online: (act) => {
    addEventListener('online', act)
    return () => removeEventListener('online', act)
  },
}

export class RelayLink {
  readonly #relay: string
  readonly #first: First
  readonly #tell: (told: Told) => void
  readonly #by: Platform
  readonly #deaf: () => void
  readonly #sent: Uint8Array[] = []
  #kind: keyof typeof KINDS = 'socket'
  /** Whether this kind of connection has brought a word of the relay. */
  #proven = false
  #carrier: Carrier | null = null
  #ready = false
  #claimed = false
  #token: string | null = null
  #got = 0
  #met: boolean
  #over = false
  #closing: Closing | null = null
  #wait = 0
  #again: (() => void) | null = null
  #clock: (() => void) | null = null

  /** Dials at once. `relay`: its origin, from the vault's own settings. */
  constructor(relay: string, first: First, tell: (told: Told) => void, by: Platform = BROWSER) {
    this.#relay = relay
    this.#first = first
    this.#tell = tell
    this.#by = by
    this.#met = first.act === 'join'
    this.#deaf = by.online(() => this.#hurry())
    this.#clock = by.later(() => this.#lost(), LOST_MS)
    this.#dial()
  }

  /** Sends a body, now or when the connection is back; at most 8 in a run. */
  send(body: Uint8Array): void {
    if (this.#over || this.#sent.length === MESSAGES_MOST) return
    this.#sent.push(body)
    if (this.#ready) this.#carrier?.send(this.#sent.length - 1, body)
  }

  /** Tells the relay that it is over, behind all that was sent. */
  close(why: Closing): void {
    if (this.#over || this.#closing !== null) return
    this.#closing = why
    if (this.#ready) this.#sayClosed(why)
  }

  /** Drops everything at once; nothing more is told. */
  end(): void {
    if (this.#over) return
    this.#over = true
    this.#deaf()
    this.#clock?.()
    this.#again?.()
    this.#carrier?.end()
    this.#sent.length = 0
  }

  #dial(): void {
    this.#again = null
    const first: Act = this.#token === null ? this.#first : { act: 'resume', token: this.#token, got: this.#got }
    const mine = (act: () => void): void => {
      if (!this.#over && (this.#carrier === carrier || carrier === null)) act()
    }
    let carrier: Carrier | null = null
    const heard: Heard = {
      told: (told) => mine(() => this.#hear(told)),
      post: (sequence, body) => mine(() => this.#post(sequence, body)),
      dropped: () => mine(() => this.#dropped()),
      garbled: () => mine(() => this.#broken()),
    }
    carrier = KINDS[this.#kind](this.#relay, first, heard, this.#by)
    this.#carrier = carrier
  }

  #hear(told: RelayTold): void {
    this.#proven = true
    switch (told.told) {
      case 'opened':
        if (this.#token !== null || this.#first.act !== 'open') return this.#broken()
        this.#admit(told.token)
        return this.#tell({ told: 'opened', mailbox: told.mailbox, ends: told.ends })
      case 'joined':
        if (this.#token !== null || this.#first.act !== 'join') return this.#broken()
        this.#admit(told.token)
        return this.#tell({ told: 'joined', ends: told.ends })
      case 'resumed':
        return this.#resumed(told.have)
      case 'peer':
        return this.#meet(told.ends)
      case 'refused':
        return this.#refused(told.code, told.s)
      case 'closed':
        return this.#last(told)
      default:
        return this.#token === null ? this.#broken() : this.#tell(told)
    }
  }

  #admit(token: string): void {
    this.#token = token
    this.#connected()
    this.#flush(0)
  }

  #resumed(have: number): void {
    if (this.#token === null || this.#ready || have > this.#sent.length) return this.#broken()
    this.#connected()
    this.#tell({ told: 'resumed' })
    if (!this.#over) this.#flush(have)
  }

  #connected(): void {
    this.#ready = true
    this.#wait = 0
    this.#clock?.()
    this.#clock = null
  }

  /** What the relay does not have yet, the same bytes again. */
  #flush(from: number): void {
    for (const [at, body] of this.#sent.entries()) if (at >= from) this.#carrier?.send(at, body)
    if (this.#closing !== null) this.#sayClosed(this.#closing)
  }

  #sayClosed(why: Closing): void {
    this.#carrier?.close(why)
    this.#clock?.()
    this.#clock = this.#by.later(() => this.end(), CLOSED_MS)
  }

  /** Once: whoever was away when the other side came is told by the relay, or by its first message. */
  #meet(ends: number | null): void {
    if (this.#token === null) return this.#broken()
    if (this.#met) return
    this.#met = true
    this.#tell({ told: 'peer', ends })
  }

  #post(sequence: number, body: Uint8Array): void {
    if (!this.#ready || sequence > this.#got || this.#got === MESSAGES_MOST) return this.#broken()
    if (sequence < this.#got) return
    this.#got++
    this.#meet(null)
    if (!this.#over) this.#tell({ told: 'heard', body })
  }

  #refused(code: string, s: number | null): void {
    if (this.#token !== null) {
      if (!PASSING.includes(code)) return this.#lost()
      this.#carrier?.end()
      return this.#redial(true)
    }
    // The ticket was shown before, on a connection that gave no answer: what became of it nobody knows.
    if (code === 'ticket-used' && this.#claimed) return this.#lost()
    this.#last({ told: 'refused', code, s })
  }

  #dropped(): void {
    const was = this.#ready
    this.#claimed = true
    this.#ready = false
    this.#carrier = null
    if (was) {
      this.#clock?.()
      this.#clock = this.#by.later(() => this.#lost(), LOST_MS)
      this.#tell({ told: 'dropped' })
      if (this.#over) return
    }
    this.#redial(was)
  }

  /** `reached`: the last connection came as far as the relay, so that another kind of it would be no better. */
  #redial(reached: boolean): void {
    // A kind that never answered is left for the other one, the first time at once; a proven one is tried twice before.
    const other = !reached && (!this.#proven || this.#wait > 1)
    const first = this.#wait === 0
    if (other) this.#kind = this.#kind === 'socket' ? 'requests' : 'socket'
    const wait = other && first && !this.#proven ? 0 : WAITS_MS[Math.min(this.#wait, WAITS_MS.length - 1)]!
    this.#wait++
    this.#again = this.#by.later(() => this.#dial(), wait * (0.75 + this.#by.random() / 2))
  }

  /** A network came back: whoever waits for the next try need not wait. */
  #hurry(): void {
    if (this.#again === null) return
    this.#again()
    this.#dial()
  }

  /** The relay said what it never says: this run is none. */
  #broken(): void {
    if (this.#ready) this.#carrier?.close('broken')
    this.#last({ told: 'closed', why: 'broken' })
  }

  #lost(): void {
    this.#last({ told: 'lost' })
  }

  #last(told: Told): void {
    if (this.#over) return
    this.end()
    this.#tell(told)
  }
}
