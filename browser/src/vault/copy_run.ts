/**
 * One number, one run: the link to the relay and this device's end of the channel, bound together (security C8, C10).
 *
 * What is secret of the number is drawn here and lives here. Until another device came the number may lapse; from then
 * on whatever stops the run ends it. Times are counted by the steady clock from what the ticket allows, so that a device
 * whose clock is wrong counts right.
 */

import { scalarOf, SCALAR } from '../pure/channel/cpace.ts'
import { type Effect, Endpoint, type Event, type State } from '../pure/channel/endpoint.ts'
import { NONCE, type Payload } from '../pure/channel/frames.ts'
import { type Code, newDigits, QR_BYTES, qrText } from '../pure/channel/number.ts'
import { LOT } from '../pure/channel/schedule.ts'
import type { Facts } from '../pure/failure.ts'
import { fromUtf8, randomBytes, utf8 } from '../pure/platform.ts'
import type { Invitation, Meeting } from './copy_machine.ts'
import { type CopyRole, ticketFacts } from './copy_messages.ts'
import { RelayLink, type Told } from './relay_link.ts'

/** A QR lives shorter than a number: it can be photographed from afar. */
const QR_MS = 120_000
/** From the moment that both are there. */
const RUN_MS = 180_000

/** Why a receiving device may decline. */
export const DECLINED: readonly string[] = [
  'cannot-keep',
  'replace-declined',
  'bound-to-other',
  'copy-other-certificate',
  'copy-payload',
]

/** Who hears what happens. `away`: whose connection is interrupted, or null when it is back. */
export interface RunEvents {
  invited(invitation: Invitation): void
  lapsed(why: string, facts: Facts): void
  met(): void
  words(words: readonly [number, number], device: string): void
  asking(): void
  delivered(payload: Payload): void
  acknowledged(): void
  over(code: string, facts: Facts): void
  away(whose: 'own' | 'other' | null): void
}

/** What a run begins with. `code`: what was typed or scanned, of a run that joins; `showQr`: of one that opens. */
export interface Dialing {
  readonly relay: string
  readonly role: CopyRole
  readonly device: string
  readonly meeting: Meeting
  readonly ticket: string
  readonly code: Code | null
  readonly showQr: boolean
}

export class CopyRun {
  readonly #events: RunEvents
  readonly #endpoint: Endpoint
  readonly #link: RelayLink
  readonly #opened: { readonly digits: string; readonly qr: Uint8Array | null; readonly life: number } | null
  readonly #mailbox: string
  /** The endpoint's own bytes of a QR that is shown, so that it can run out before the number does. */
  readonly #live: Uint8Array | null
  #qrTimer: ReturnType<typeof setTimeout> | null = null
  #timer: ReturnType<typeof setTimeout> | null = null
  #met = false
  #asked = false
  #silent = false

  constructor(dialing: Dialing, events: RunEvents) {
    const { relay, role, device, meeting, ticket, code, showQr } = dialing
    this.#events = events
    this.#mailbox = code?.mailbox ?? ''
    const qr = code === null ? (showQr ? randomBytes(QR_BYTES) : null) : code.mode === 'q' ? code.qr : null
    const digits = code?.digits ?? newDigits()
    // A sender shows nothing but its QR.
    const most = role === 'send' ? QR_MS : Number.POSITIVE_INFINITY
    this.#opened = code === null ? { digits, qr, life: Math.min(ticketFacts(ticket).ttl * 1000, most) } : null
    // The endpoint overwrites what it was given.
    this.#live = qr === null ? null : qr.slice()
    const own = {
      role: role === 'send' ? 'sender' : 'receiver',
      relay,
      device: utf8(device),
      opened: code === null,
      digits,
      qr: this.#live,
      nonce: randomBytes(NONCE),
      scalar: scalarOf(randomBytes(SCALAR)),
      lot: randomBytes(LOT),
    } as const
    this.#endpoint = new Endpoint(own, code?.mailbox ?? null)
    this.#link = new RelayLink(relay, { act: meeting.act, ticket }, (told) => this.#hear(told))
  }

  /** The sender's person said yes to the words. */
  agree(payload: Payload): void {
    this.#take({ on: 'agreed', payload })
  }

  /** The receiver's person is being asked. */
  asked(): void {
    this.#take({ on: 'asked' })
  }

  /** The receiver has it: digest of what was read back (C13). */
  stored(digest: Uint8Array): void {
    this.#take({ on: 'stored', digest })
  }

  /** The receiver says no, and why; nothing more is heard of this run. */
  refuse(code: string): void {
    this.#silent = true
    this.#take({ on: 'refused', code })
  }

  /** The person stops it, or gives the number up; nothing more is heard of this run. */
  hangUp(): void {
    this.#silent = true
    this.#take({ on: 'left' })
  }

  /** The frame goes away. */
  end(): void {
    this.#silent = true
    this.#stopClock()
    this.#link.end()
  }

  #hear(told: Told): void {
    switch (told.told) {
      case 'opened':
        return this.#admitted(told.mailbox)
      case 'joined':
        this.#take({ on: 'admitted', mailbox: this.#mailbox })
        return this.#meet()
      case 'peer':
        this.#meet()
        return this.#take({ on: 'peerCame' })
      case 'heard':
        return this.#take({ on: 'heard', body: told.body })
      case 'closed':
        return this.#take({ on: 'closed', why: told.why })
      case 'lost':
        return this.#take({ on: 'linkLost' })
      case 'refused':
        return this.#over(told.code, told.s === null ? {} : { s: told.s })
      case 'away':
      case 'dropped':
        return this.#tell(() => this.#events.away(told.told === 'away' ? 'other' : 'own'))
      case 'back':
      case 'resumed':
        return this.#tell(() => this.#events.away(null))
    }
  }

  #admitted(mailbox: string): void {
    this.#take({ on: 'admitted', mailbox })
    if (this.#opened === null) return
    const { digits, qr, life } = this.#opened
    const now = performance.now()
    const text = qr === null ? null : qrText(mailbox, digits, qr)
    this.#clock(life)
    this.#qrTimer = setTimeout(() => this.#spoil(), QR_MS)
    this.#tell(() => this.#events.invited({ mailbox, digits, qr: text, qrEnds: now + QR_MS, ends: now + life }))
  }

  /** A QR that was photographed and comes too late makes another key, and the run ends as by a wrong number. */
  #spoil(): void {
    this.#live?.set(randomBytes(QR_BYTES))
  }

  #meet(): void {
    this.#met = true
    this.#clock(RUN_MS)
    this.#tell(() => this.#events.met())
  }

  #take(event: Event): void {
    for (const effect of this.#endpoint.take(event)) this.#do(effect)
    const { state } = this.#endpoint
    if (state.at === 'sending' && state.asked && !this.#asked) {
      this.#asked = true
      this.#tell(() => this.#events.asking())
    }
    if (!this.#endpoint.over) return
    if (state.at === 'acknowledged') return this.#acknowledged()
    this.#over(this.#codeOf(state), {})
  }

  #do(effect: Effect): void {
    switch (effect.do) {
      case 'send':
        return this.#link.send(effect.body)
      case 'close':
        return this.#link.close(effect.why)
      case 'showWords':
        return this.#tell(() => this.#events.words(effect.words, fromUtf8(effect.device)))
      case 'deliver':
        return this.#tell(() => this.#events.delivered(effect.payload))
    }
  }

  /** What the receiving device refused with is its word: only codes that we know are told as such. */
  #codeOf(state: State): string {
    if (!('code' in state)) return 'copy-broken'
    if (state.at !== 'declined') return state.code
    return DECLINED.includes(state.code) ? `copy-peer-${state.code}` : 'copy-declined'
  }

  #acknowledged(): void {
    this.#stopClock()
    this.#tell(() => this.#events.acknowledged())
    this.#silent = true
  }

  #over(code: string, facts: Facts): void {
    this.#stopClock()
    // Nobody else was in it: a newer one of the same person has taken its place.
    const why = code === 'copy-peer-cancelled' ? 'copy-voided' : code
    this.#tell(() => (this.#met || this.#opened === null ? this.#events.over(code, facts) : this.#events.lapsed(why, facts)))
    this.#silent = true
  }

  /** Nothing is told of a run that is over or was given up. */
  #tell(act: () => void): void {
    if (!this.#silent) act()
  }

  #clock(life: number): void {
    this.#stopClock()
    this.#timer = setTimeout(() => this.#take({ on: 'timeOver' }), life)
  }

  #stopClock(): void {
    if (this.#qrTimer !== null) clearTimeout(this.#qrTimer)
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
  }
}
