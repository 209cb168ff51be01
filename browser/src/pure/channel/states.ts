/**
 * What both ends of a copy share: where one stands, what happens to it, what it does, how it ends. Twin of endpoint.py.
 *
 * A state holds what it still needs and nothing longer: digits and QR are gone when the key is alleged, the scalar when
 * it is confirmed.
 */

import type { Payload } from './frames.ts'
import type { Mode } from './number.ts'
import type { Keys, Role } from './schedule.ts'

/**
 * What a device brings into a run, spent with it. `relay`: its origin; `device`: UTF-8 of what the center calls it, 1 to
 * 120 octets; `opened`: it opens the mailbox; `digits`: 7, drawn or typed; `qr`: the 16 bytes that it shows or has read,
 * or null; `nonce`: 16 random bytes; `scalar`: of scalarOf; `lot`: 16 random bytes, of which a sender makes the check
 * words depend (a receiver's is of no use).
 */
export interface Own {
  readonly role: Role
  readonly relay: string
  readonly device: Uint8Array
  readonly opened: boolean
  readonly digits: string
  readonly qr: Uint8Array | null
  readonly nonce: Uint8Array
  readonly scalar: Uint8Array
  readonly lot: Uint8Array
}

/** A confirmed key and its counters. `device`: UTF-8 of the other side's text, which is its own claim. */
export interface Sealing {
  readonly role: Role
  readonly device: Uint8Array
  readonly toReceiver: Uint8Array
  readonly toSender: Uint8Array
  readonly sent: number
  readonly heard: number
}

/** `hello`: null at a sender, which waits for it. `asked` in `sending`: the other side's person is being asked. */
export type State =
  | { readonly at: 'inviting'; readonly own: Own; readonly mailbox: string | null }
  | { readonly at: 'joining'; readonly own: Own; readonly mailbox: string }
  | { readonly at: 'awaitingPeer'; readonly own: Own; readonly mailbox: string; readonly hello: Uint8Array | null }
  | ({ readonly at: 'keyAlleged' } & (SenderAlleges | ReceiverAlleges))
  | { readonly at: 'keyConfirmed'; readonly sealing: Sealing; readonly words: readonly [number, number] }
  | { readonly at: 'sending'; readonly sealing: Sealing; readonly digest: Uint8Array; readonly asked: boolean }
  | { readonly at: 'receiving'; readonly sealing: Sealing; readonly digest: Uint8Array }
  | { readonly at: 'acknowledged'; readonly code: 'copy-done' }
  | { readonly at: End; readonly code: string }

/** A sender that waits for SHARE_B. */
export interface SenderAlleges {
  readonly role: 'sender'
  readonly scalar: Uint8Array
  readonly lot: Uint8Array
  readonly mode: Mode
  readonly hello: Uint8Array
  readonly shareA: Uint8Array
}

/** A receiver that waits for the tag of the key that it has already, and for the lot of this commitment. */
export interface ReceiverAlleges {
  readonly role: 'receiver'
  readonly keys: Keys
  readonly commitment: Uint8Array
  readonly device: Uint8Array
}

/** The ends besides `acknowledged`; `code` is their sentence. */
export type End = 'wrongCode' | 'peerGone' | 'expired' | 'cancelled' | 'declined' | 'broken'

export const WHYS = ['done', 'wrong', 'cancelled', 'broken', 'declined', 'expired', 'crowded', 'gone', 'stopping'] as const
/** Why the relay closed. */
export type Why = (typeof WHYS)[number]

/** What happened. `admitted`: the relay took the ticket, for this mailbox; `closed`: by the relay. */
export type Event =
  | { readonly on: 'admitted'; readonly mailbox: string }
  | { readonly on: 'peerCame' }
  | { readonly on: 'heard'; readonly body: Uint8Array }
  | { readonly on: 'agreed'; readonly payload: Payload }
  | { readonly on: 'asked' }
  | { readonly on: 'stored'; readonly digest: Uint8Array }
  | { readonly on: 'refused'; readonly code: string }
  | { readonly on: 'left' }
  | { readonly on: 'closed'; readonly why: Why }
  | { readonly on: 'linkLost' }
  | { readonly on: 'timeOver' }

/** What is to be done, in this order. `words`: places in both lists of check words. */
export type Effect =
  | { readonly do: 'send'; readonly body: Uint8Array }
  | { readonly do: 'showWords'; readonly words: readonly [number, number]; readonly device: Uint8Array }
  | { readonly do: 'deliver'; readonly payload: Payload }
  | { readonly do: 'close'; readonly why: 'done' | 'wrong' | 'cancelled' | 'broken' | 'declined' | 'expired' }

export interface Step {
  readonly state: State
  readonly effects: readonly Effect[]
}

type At = State['at']
type On = Event['on']
export type Edges = Readonly<Record<At, Partial<Record<On, readonly At[]>>>>
/** The state of a name. */
export type In<A extends At> = Extract<State, { readonly at: A }>

export function to(state: State, ...effects: readonly Effect[]): Step {
  return { state, effects }
}

export function stay(state: State): Step {
  return { state, effects: [] }
}

/** Once the certificate is under way, an end without the other side's word leaves open whether it is kept there. */
export function unsure(state: State, code: string): string {
  return state.at === 'sending' ? 'copy-unconfirmed' : code
}
