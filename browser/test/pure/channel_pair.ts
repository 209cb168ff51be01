/** Two ends of a copy in memory: what one sends the other hears, unless a test comes between. */

import { scalarOf } from '../../src/pure/channel/cpace.ts'
import { type Effect, Endpoint, type Event, type Own } from '../../src/pure/channel/endpoint.ts'
import type { Payload } from '../../src/pure/channel/frames.ts'
import type { Role } from '../../src/pure/channel/schedule.ts'
import { counted, text } from './vectors.ts'

export const MAILBOX = '41234'
export const RELAY = 'http://localhost:8705'
export const PAYLOAD: Payload = { certificate: text('a certificate'), keyFile: text('a key file, encrypted') }

/** What a side brings. `seed` makes nonce, scalar and lot. */
export function own(role: Role, over: Partial<Own> = {}): Own {
  const random = counted(role === 'sender' ? 1 : 101)
  return {
    role,
    relay: RELAY,
    device: text(role === 'sender' ? 'Chrome, Windows' : '휴대폰'),
    opened: role === 'receiver',
    digits: '5678901',
    qr: null,
    nonce: random(16),
    scalar: scalarOf(random(32)),
    lot: random(16),
    ...over,
  }
}

/** A side under test: its end, and everything that it wanted done. */
export class Side {
  readonly end: Endpoint
  readonly done: Effect[] = []

  constructor(mine: Own) {
    this.end = new Endpoint(mine, mine.opened ? null : MAILBOX)
  }

  take(event: Event): readonly Effect[] {
    const effects = this.end.take(event)
    this.done.push(...effects)
    return effects
  }

  get at(): string {
    return this.end.state.at
  }

  get code(): string | null {
    return 'code' in this.end.state ? this.end.state.code : null
  }

  did(what: Effect['do']): readonly Effect[] {
    return this.done.filter((each) => each.do === what)
  }
}

/** The bodies among effects. */
export function bodies(effects: readonly Effect[]): readonly Uint8Array[] {
  return effects.flatMap((each) => (each.do === 'send' ? [each.body] : []))
}

/** Two sides of one number, joined, with nothing heard yet. */
export class Pair {
  readonly sender: Side
  readonly receiver: Side
  /** Sent and not yet heard, by who sent it. */
  readonly underWay: { from: Role; body: Uint8Array }[] = []

  constructor(sender: Partial<Own> = {}, receiver: Partial<Own> = {}) {
    this.sender = new Side(own('sender', sender))
    this.receiver = new Side(own('receiver', receiver))
  }

  side(role: Role): Side {
    return role === 'sender' ? this.sender : this.receiver
  }

  take(role: Role, event: Event): void {
    this.underWay.push(...bodies(this.side(role).take(event)).map((body) => ({ from: role, body })))
  }

  /** The relay has both. */
  meet(): this {
    for (const role of ['sender', 'receiver'] as const) this.take(role, { on: 'admitted', mailbox: MAILBOX })
    for (const role of ['sender', 'receiver'] as const) {
      if (this.side(role).at === 'inviting') this.take(role, { on: 'peerCame' })
    }
    return this
  }

  /** Carries what is under way, until nothing is or `until` is reached. */
  carry(until = Number.POSITIVE_INFINITY, changed: (body: Uint8Array, from: Role) => Uint8Array = (body) => body): this {
    for (let count = 0; count < until && this.underWay.length > 0; count++) {
      const { from, body } = this.underWay.shift()!
      this.take(from === 'sender' ? 'receiver' : 'sender', { on: 'heard', body: changed(body, from) })
    }
    return this
  }
}
