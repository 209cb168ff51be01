/**
 * One end of a copy, either role: the tables, and the one function that moves it (security C7–C11).
 *
 * Pure. An event that the table does not know in a state changes nothing. One number is one run (C8): whatever is not as
 * it should be ends it, and nothing leads out of an end.
 * inviting | joining → awaitingPeer → keyAlleged → keyConfirmed → sending | receiving → acknowledged
 */

import { wipe } from '../octets.ts'
import { allege, confirm, greet } from './agreeing.ts'
import { NONCE } from './frames.ts'
import { ChannelBroken } from './lv.ts'
import { answered, cancel, confirmed, receiving } from './passing.ts'
import { LOT, type Role } from './schedule.ts'
import { type Edges, type Effect, type End, type Event, type In, type Own, type State, type Step, stay, to, unsure, type Why } from './states.ts'

export type { Effect, Event, Own, State, Step, Why } from './states.ts'

const CLOSED = ['wrongCode', 'peerGone', 'expired', 'cancelled', 'declined', 'broken'] as const
const LEAVING = { left: ['cancelled'], closed: CLOSED, linkLost: ['peerGone'], timeOver: ['expired'] } as const
const OVER = { acknowledged: {}, wrongCode: {}, peerGone: {}, expired: {}, cancelled: {}, declined: {}, broken: {} } as const
const AGREEING = {
  inviting: { admitted: ['inviting', 'broken'], peerCame: ['awaitingPeer', 'broken'], heard: ['broken'], ...LEAVING },
  joining: { admitted: ['awaitingPeer', 'broken'], heard: ['broken'], ...LEAVING },
  awaitingPeer: { heard: ['keyAlleged', 'broken'], ...LEAVING },
  keyAlleged: { heard: ['keyConfirmed', 'wrongCode', 'broken'], ...LEAVING },
} as const

/** The specification: which events a state knows, and where each may lead. */
export const EDGES: Readonly<Record<Role, Edges>> = {
  sender: {
    ...AGREEING,
    keyConfirmed: { agreed: ['sending'], heard: ['cancelled', 'declined', 'broken'], ...LEAVING },
    sending: { heard: ['sending', 'acknowledged', 'declined', 'cancelled', 'broken'], ...LEAVING },
    receiving: {},
    ...OVER,
  },
  receiver: {
    ...AGREEING,
    keyConfirmed: { heard: ['receiving', 'declined', 'cancelled', 'broken'], refused: ['declined'], ...LEAVING },
    sending: {},
    receiving: {
      asked: ['receiving'],
      stored: ['acknowledged', 'declined'],
      refused: ['declined'],
      heard: ['cancelled', 'broken'],
      ...LEAVING,
    },
    ...OVER,
  },
}

/** The first state. `mailbox`: of the number or QR that was typed or read; null for a side that opens one. */
export function begin(own: Own, mailbox: string | null): State {
  if (own.nonce.length !== NONCE || own.lot.length !== LOT || own.opened !== (mailbox === null)) throw new RangeError('not a beginning')
  // A sender that opens shows a QR only, and a receiver joins by the sender's QR.
  if (own.qr === null && own.opened === (own.role === 'sender')) throw new RangeError('a beginning without a QR')
  return mailbox === null ? { at: 'inviting', own, mailbox } : { at: 'joining', own, mailbox }
}

/** The next state and what is to be done. */
export function advance(state: State, event: Event): Step {
  const role = roleOf(state)
  if (role === null || EDGES[role][state.at][event.on] === undefined) return stay(state)
  try {
    return move(state, event)
  } catch (failure) {
    if (!(failure instanceof ChannelBroken)) throw failure
    return to({ at: 'broken', code: unsure(state, 'copy-broken') }, { do: 'close', why: 'broken' })
  }
}

/** Null once it has ended. */
function roleOf(state: State): Role | null {
  if ('own' in state) return state.own.role
  if ('sealing' in state) return state.sealing.role
  return 'role' in state ? state.role : null
}

function move(state: State, event: Event): Step {
  switch (event.on) {
    case 'left':
      return 'sealing' in state ? cancel(state) : to({ at: 'cancelled', code: 'copy-cancelled' }, { do: 'close', why: 'cancelled' })
    case 'closed':
      return to(closed(state, event.why))
    case 'linkLost':
      return to({ at: 'peerGone', code: unsure(state, 'copy-link-lost') })
    case 'timeOver':
      return to({ at: 'expired', code: unsure(state, 'copy-expired') }, { do: 'close', why: 'expired' })
    default:
      return goOn(state, event)
  }
}

function goOn(state: State, event: Event): Step {
  switch (state.at) {
    case 'inviting':
    case 'joining':
      return meet(state, event)
    case 'awaitingPeer':
      return event.on === 'heard' ? allege(state, event.body) : stay(state)
    case 'keyAlleged':
      return event.on === 'heard' ? confirm(state, event.body) : stay(state)
    case 'keyConfirmed':
      return confirmed(state, event)
    case 'sending':
      return event.on === 'heard' ? answered(state, event.body) : stay(state)
    case 'receiving':
      return receiving(state, event)
    default:
      return stay(state)
  }
}

function meet(state: In<'inviting' | 'joining'>, event: Event): Step {
  const { own, mailbox } = state
  if (event.on === 'admitted' && mailbox === null) return to({ at: 'inviting', own, mailbox: event.mailbox })
  if (event.on === 'peerCame' && mailbox !== null) return greet(own, mailbox)
  if (event.on === 'admitted' && state.at === 'joining' && event.mailbox === mailbox) return greet(own, state.mailbox)
  throw new ChannelBroken()
}

const WHY: Readonly<Record<Why, readonly [End, string]>> = {
  // A receiver's `done` is its own acknowledgement, after which it hears nothing more; before that it is a lie.
  done: ['broken', 'copy-broken'],
  wrong: ['wrongCode', 'copy-wrong-number'],
  cancelled: ['cancelled', 'copy-peer-cancelled'],
  broken: ['broken', 'copy-broken'],
  declined: ['declined', 'copy-declined'],
  expired: ['expired', 'copy-expired'],
  crowded: ['broken', 'copy-crowded'],
  gone: ['peerGone', 'copy-peer-gone'],
  stopping: ['broken', 'relay-stopping'],
}

function closed(state: State, why: Why): State {
  // A word that no relay of ours has is no reason at all.
  const [at, code] = WHY[why] ?? WHY.broken
  return { at, code: unsure(state, code) }
}

/** An end that keeps its state and overwrites what a state no longer needs (C8). */
export class Endpoint {
  #state: State

  constructor(own: Own, mailbox: string | null) {
    this.#state = begin(own, mailbox)
  }

  get state(): State {
    return this.#state
  }

  /** Whether it has ended, well or not. */
  get over(): boolean {
    return roleOf(this.#state) === null
  }

  /** What is to be done, in this order. */
  take(event: Event): readonly Effect[] {
    const { state, effects } = advance(this.#state, event)
    const kept = new Set(secretsOf(state))
    wipe(...secretsOf(this.#state).filter((each) => !kept.has(each)))
    this.#state = state
    return effects
  }
}

function secretsOf(state: State): readonly Uint8Array[] {
  if ('own' in state) {
    const { scalar, lot, qr } = state.own
    return qr === null ? [scalar, lot] : [scalar, lot, qr]
  }
  if ('sealing' in state) return [state.sealing.toReceiver, state.sealing.toSender]
  if (state.at !== 'keyAlleged') return []
  return state.role === 'sender' ? [state.scalar, state.lot] : Object.values(state.keys)
}
