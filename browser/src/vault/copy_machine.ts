/**
 * The machine of a copy in the vault, both roles: where it stands, what moves it, and what is to be done then.
 *
 * Pure. An event that the table does not know in a state changes nothing: pages, people and relays may repeat themselves.
 * send: choosing → proving → vouching → numbering → (meeting) → comparing → sending → copied
 * receive: (meeting) → comparing → examining → judging → [replacing →] storing → copied
 * meeting: fetching → dialing → inviting | → keying. Until another device came, a number that ran out only lapses; from
 * then on one number is one run, and whatever stops it ends it (security C8). What was proved holds for another number.
 */

import type { Facts } from '../pure/failure.ts'
import type { Act, CopyRole } from './copy_messages.ts'
import type { KeptRecord } from './record.ts'

/** Why something stopped. */
export interface Trouble {
  readonly code: string
  readonly facts: Facts
}

/** What a person carries over: 5 digits, 7 secret ones, and the QR's text where one is shown. Instants in milliseconds. */
export interface Invitation {
  readonly mailbox: string
  readonly digits: string
  readonly qr: string | null
  readonly qrEnds: number
  readonly ends: number
}

/** What came, and which records of this browser it would take the place of (M-COPY-08). */
export interface Arrival {
  readonly certificate: Uint8Array
  readonly twins: readonly KeptRecord[]
}

/** How the two devices are to meet: opening a mailbox, or joining the one whose number was typed or whose QR was read. */
export interface Meeting {
  readonly act: Act
  readonly mailbox: string | null
}

/** `retry` in `ended`: another number may be tried here; else the page begins anew. */
export type State =
  | { readonly at: 'opening' }
  | { readonly at: 'choosing'; readonly trouble: Trouble | null }
  | { readonly at: 'renewing' }
  | { readonly at: 'proving' }
  | { readonly at: 'vouching' }
  | { readonly at: 'numbering' }
  | { readonly at: 'fetching'; readonly meeting: Meeting }
  | { readonly at: 'dialing'; readonly meeting: Meeting }
  | { readonly at: 'inviting'; readonly invitation: Invitation }
  | { readonly at: 'lapsed'; readonly trouble: Trouble }
  | { readonly at: 'scanning' }
  | { readonly at: 'keying' }
  | { readonly at: 'comparing'; readonly words: readonly [number, number] }
  | { readonly at: 'sending'; readonly asking: boolean }
  | { readonly at: 'examining' }
  | { readonly at: 'judging'; readonly arrival: Arrival }
  | { readonly at: 'replacing'; readonly arrival: Arrival }
  | { readonly at: 'storing'; readonly arrival: Arrival }
  | { readonly at: 'copied'; readonly record: KeptRecord | null }
  | { readonly at: 'ended'; readonly trouble: Trouble; readonly retry: boolean }
  | { readonly at: 'over' }

/** What happened. `over`: the run stopped; `lapse`: a number that nobody used is no more; `record` null: on the sender. */
export type Event =
  | { readonly on: 'opened'; readonly role: CopyRole; readonly alone: boolean; readonly can: boolean }
  | { readonly on: 'chosen'; readonly stale: boolean }
  | { readonly on: 'renewed' }
  | { readonly on: 'proved' }
  | { readonly on: 'locked' }
  | { readonly on: 'broke'; readonly trouble: Trouble }
  | { readonly on: 'accepted' }
  | { readonly on: 'failed'; readonly code: string }
  | { readonly on: 'typed'; readonly mailbox: string }
  | { readonly on: 'invite' }
  | { readonly on: 'back' }
  | { readonly on: 'scan' }
  | { readonly on: 'scanned'; readonly mailbox: string }
  | { readonly on: 'ticket' }
  | { readonly on: 'invited'; readonly invitation: Invitation }
  | { readonly on: 'lapse'; readonly trouble: Trouble }
  | { readonly on: 'met' }
  | { readonly on: 'words'; readonly words: readonly [number, number] }
  | { readonly on: 'agreed' }
  | { readonly on: 'differ' }
  | { readonly on: 'asking' }
  | { readonly on: 'acknowledged' }
  | { readonly on: 'delivered' }
  | { readonly on: 'examined'; readonly arrival: Arrival }
  | { readonly on: 'replace' }
  | { readonly on: 'decline' }
  | { readonly on: 'stored'; readonly record: KeptRecord }
  | { readonly on: 'changed'; readonly record: KeptRecord | null }
  | { readonly on: 'over'; readonly trouble: Trouble }
  | { readonly on: 'left' }
  | { readonly on: 'again' }

/**
 * What is to be done. `hang-up`: the person stops the run, or a number is given up; `ask`: the other device hears that
 * the person is being asked; `refuse`: it hears no, and why.
 */
export type Effect =
  | { readonly do: 'renew' }
  | { readonly do: 'prove' }
  | { readonly do: 'tell-proved' }
  | { readonly do: 'tell-wanted'; readonly meeting: Meeting }
  | { readonly do: 'dial' }
  | { readonly do: 'hang-up' }
  | { readonly do: 'tell-opened'; readonly mailbox: string }
  | { readonly do: 'tell-paired' }
  | { readonly do: 'send' }
  | { readonly do: 'examine' }
  | { readonly do: 'tell-arrived' }
  | { readonly do: 'ask' }
  | { readonly do: 'store'; readonly arrival: Arrival }
  | { readonly do: 'refuse'; readonly code: string }
  | { readonly do: 'acknowledge' }
  | { readonly do: 'tell-copied' }
  | { readonly do: 'tell-ended'; readonly code: string }
  | { readonly do: 'tell-done' }
  | { readonly do: 'tell-cancelled' }

export interface Step {
  readonly state: State
  readonly effects: readonly Effect[]
}

type At = State['at']
type On = Event['on']

/** What the person's leaving and an end from outside do while no run is under way, and while one is. */
const BEFORE = { failed: ['ended'], left: ['over'] } as const
const WITHIN = { failed: ['ended'], over: ['ended'], left: ['ended'] } as const

/** The specification of a role: which events a state knows, and where each may lead. */
type Edges = Readonly<Record<At, Partial<Record<On, readonly At[]>>>>

const MEETING = {
  fetching: { ticket: ['dialing'], ...BEFORE },
  dialing: { invited: ['inviting'], lapse: ['lapsed', 'ended'], met: ['keying'], ...WITHIN },
  keying: { words: ['comparing'], ...WITHIN },
  copied: { changed: ['copied'], left: ['over'] },
  over: {},
} as const

const NONE = {}

export const EDGES: Readonly<Record<CopyRole, Edges>> = {
  send: {
    opening: { opened: ['choosing', 'ended'], ...BEFORE },
    choosing: { chosen: ['proving', 'renewing'], ...BEFORE },
    renewing: { renewed: ['proving'], broke: ['choosing'], ...BEFORE },
    proving: { proved: ['vouching'], locked: ['choosing'], broke: ['choosing'], ...BEFORE },
    vouching: { accepted: ['numbering'], failed: ['choosing'], left: ['over'] },
    numbering: { typed: ['fetching'], invite: ['fetching'], scan: ['scanning'], ...BEFORE },
    ...MEETING,
    ended: { again: ['over', 'numbering'], left: ['over'] },
    inviting: { met: ['keying'], lapse: ['lapsed'], invite: ['fetching'], back: ['numbering'], over: ['ended'], ...BEFORE },
    lapsed: { invite: ['fetching'], back: ['numbering'], ...BEFORE },
    scanning: { scanned: ['fetching'], back: ['numbering'], ...BEFORE },
    comparing: { agreed: ['sending'], differ: ['ended'], ...WITHIN },
    sending: { asking: ['sending'], acknowledged: ['copied'], ...WITHIN },
    examining: NONE,
    judging: NONE,
    replacing: NONE,
    storing: NONE,
  },
  receive: {
    opening: { opened: ['fetching', 'ended'], ...BEFORE },
    choosing: NONE,
    renewing: NONE,
    proving: NONE,
    vouching: NONE,
    numbering: NONE,
    ...MEETING,
    ended: { again: ['over', 'fetching'], left: ['over'] },
    inviting: { met: ['keying'], lapse: ['lapsed'], invite: ['fetching'], scan: ['scanning'], over: ['ended'], ...BEFORE },
    lapsed: { invite: ['fetching'], scan: ['scanning'], ...BEFORE },
    scanning: { scanned: ['fetching'], back: ['fetching'], ...BEFORE },
    comparing: { delivered: ['examining'], differ: ['ended'], ...WITHIN },
    sending: NONE,
    examining: { examined: ['judging'], broke: ['ended'], ...WITHIN },
    judging: { accepted: ['replacing', 'storing'], ...WITHIN },
    replacing: { replace: ['storing'], decline: ['ended'], ...WITHIN },
    // Whoever leaves now leaves what is being written; it is too late to say that it was not.
    storing: { stored: ['copied'], broke: ['ended'], over: ['storing'] },
  },
}

/** The next state and what is to be done. */
export function advance(role: CopyRole, state: State, event: Event): Step {
  if (EDGES[role][state.at][event.on] === undefined) return to(state)
  return move(role, state, event)
}

function to(state: State, ...effects: readonly Effect[]): Step {
  return { state, effects }
}

/** This run is over without a copy: the page hears why. */
function end(trouble: Trouble, ...before: readonly Effect[]): Step {
  return to({ at: 'ended', trouble, retry: true }, ...before, { do: 'tell-ended', code: trouble.code })
}

/** So is all of it: only the page can begin anew. */
function endAll(trouble: Trouble, ...before: readonly Effect[]): Step {
  return to({ at: 'ended', trouble, retry: false }, ...before, { do: 'tell-ended', code: trouble.code })
}

function plain(code: string): Trouble {
  return { code, facts: {} }
}

function move(role: CopyRole, state: State, event: Event): Step {
  switch (event.on) {
    case 'left':
      return leave(state)
    case 'again':
      return again(role, state)
    case 'differ':
      return end(plain('copy-words-differ'), { do: 'hang-up' })
    case 'failed':
      return failed(state, event.code)
    case 'over':
      // What is being written is finished first; then it is kept here, and the other side was told nothing.
      return state.at === 'storing' ? to(state) : end(event.trouble)
    default:
      return meeting(role, state, event) ?? (role === 'send' ? sending(state, event) : receiving(state, event))
  }
}

function again(role: CopyRole, state: State): Step {
  if (state.at !== 'ended' || !state.retry) return to({ at: 'over' }, { do: 'tell-done' })
  return role === 'send' ? to({ at: 'numbering' }) : fetch(OPEN)
}

function fetch(meeting: Meeting, ...before: readonly Effect[]): Step {
  return to({ at: 'fetching', meeting }, ...before, { do: 'tell-wanted', meeting })
}

const OPEN: Meeting = { act: 'open', mailbox: null }

/** How two devices find each other: the same in both roles. Null where the event is none of it. */
function meeting(role: CopyRole, state: State, event: Event): Step | null {
  switch (event.on) {
    case 'invite':
      return fetch(OPEN, ...givenUp(state))
    case 'scan':
      return to({ at: 'scanning' }, ...givenUp(state))
    case 'scanned':
    case 'typed':
      return fetch({ act: 'join', mailbox: event.mailbox })
    case 'back':
      return role === 'send' ? to({ at: 'numbering' }, ...givenUp(state)) : fetch(OPEN)
    case 'ticket':
      return state.at === 'fetching' ? to({ at: 'dialing', meeting: state.meeting }, { do: 'dial' }) : null
    case 'invited':
      return to({ at: 'inviting', invitation: event.invitation }, { do: 'tell-opened', mailbox: event.invitation.mailbox })
    case 'lapse':
      return lapsed(state, event.trouble)
    case 'met':
      return to({ at: 'keying' })
    case 'words':
      return to({ at: 'comparing', words: event.words }, { do: 'tell-paired' })
    case 'changed':
      return to({ at: 'copied', record: event.record })
    default:
      return null
  }
}

/** A number that is open is given up before another one is asked for. */
function givenUp(state: State): readonly Effect[] {
  return state.at === 'inviting' ? [{ do: 'hang-up' }] : []
}

/** Only a mailbox of one's own lapses; a number that was typed and is no more was the one try. */
function lapsed(state: State, trouble: Trouble): Step {
  if (state.at === 'dialing' && state.meeting.act === 'join') return end(trouble)
  return to({ at: 'lapsed', trouble })
}

function sending(state: State, event: Event): Step {
  switch (event.on) {
    case 'opened':
      return event.alone ? to({ at: 'choosing', trouble: null }) : endAll(plain('copy-elsewhere'))
    case 'chosen':
      return event.stale ? to({ at: 'renewing' }, { do: 'renew' }) : to({ at: 'proving' }, { do: 'prove' })
    case 'renewed':
      return to({ at: 'proving' }, { do: 'prove' })
    case 'locked':
      return to({ at: 'choosing', trouble: null })
    case 'broke':
      return to({ at: 'choosing', trouble: event.trouble })
    case 'proved':
      return to({ at: 'vouching' }, { do: 'tell-proved' })
    case 'accepted':
      return to({ at: 'numbering' })
    case 'agreed':
      return to({ at: 'sending', asking: false }, { do: 'send' })
    case 'asking':
      return to({ at: 'sending', asking: true })
    case 'acknowledged':
      return to({ at: 'copied', record: null }, { do: 'tell-copied' })
    default:
      return to(state)
  }
}

function receiving(state: State, event: Event): Step {
  switch (event.on) {
    case 'opened':
      if (!event.alone) return endAll(plain('copy-elsewhere'))
      // Before any number is shown (M-COPY-09).
      return event.can ? fetch(OPEN) : endAll(plain('cannot-keep'))
    case 'delivered':
      return to({ at: 'examining' }, { do: 'examine' })
    case 'examined':
      return to({ at: 'judging', arrival: event.arrival }, { do: 'tell-arrived' })
    case 'accepted':
      return state.at === 'judging' ? judged(state.arrival) : to(state)
    case 'replace':
      return state.at === 'replacing' ? store(state.arrival) : to(state)
    case 'decline':
      return refuse(plain('replace-declined'))
    case 'broke':
      return refuse(event.trouble)
    case 'stored':
      return to({ at: 'copied', record: event.record }, { do: 'acknowledge' }, { do: 'tell-copied' })
    default:
      return to(state)
  }
}

function judged(arrival: Arrival): Step {
  return arrival.twins.length > 0 ? to({ at: 'replacing', arrival }, { do: 'ask' }) : store(arrival)
}

function store(arrival: Arrival): Step {
  return to({ at: 'storing', arrival }, { do: 'store', arrival })
}

function refuse(trouble: Trouble): Step {
  return end(trouble, { do: 'refuse', code: trouble.code })
}

/** What the center says of a number that was typed wrong or too late, or does not say in time. */
const OF_A_NUMBER: ReadonlySet<string> = new Set(['copy-number-unknown', 'copy-number-used', 'outage'])

/** The center says no, or ends it: a receiver passes it on to the other device, a sender may choose another certificate. */
function failed(state: State, code: string): Step {
  if (state.at === 'vouching') return to({ at: 'choosing', trouble: plain(code) })
  if (state.at === 'examining' || state.at === 'judging' || state.at === 'replacing') return refuse(plain(code))
  if (state.at === 'fetching' && OF_A_NUMBER.has(code)) return end(plain(code))
  if (state.at === 'sending') return endAll(plain(UNSURE), { do: 'hang-up' })
  return endAll(plain(code), { do: 'hang-up' })
}

const UNDER_WAY: ReadonlySet<At> = new Set(['dialing', 'keying', 'comparing', 'sending', 'examining', 'judging', 'replacing'])

/** It has left here: whether the other device has stored it, only that device can say. */
const UNSURE = 'copy-unconfirmed'

function leave(state: State): Step {
  if (state.at === 'sending') return end(plain(UNSURE), { do: 'hang-up' })
  if (UNDER_WAY.has(state.at)) return end(plain('copy-cancelled'), { do: 'hang-up' })
  if (state.at === 'copied') return to({ at: 'over' }, { do: 'tell-done' })
  return to({ at: 'over' }, { do: 'hang-up' }, { do: 'tell-cancelled' })
}
