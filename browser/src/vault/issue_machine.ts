/**
 * The machine of an issue in the vault: where it stands, what moves it, and what is to be done then (security B10).
 *
 * Pure. An event that the table does not know in a state changes nothing: pages and people may repeat themselves.
 * ⑤ choosing → making → made · ⑥ made → asking → sent ⇄ weighing → … → issued → over; resuming asks the password once.
 */

import type { AuthorityTexts } from '../pure/cmp/refusal.ts'
import type { Facts } from '../pure/failure.ts'
import type { Draft } from './draft.ts'
import type { Stands } from './issue_messages.ts'
import type { KeptRecord } from './record.ts'
import type { Told } from './renew_messages.ts'

/** Something that is told to the person beside what can be done about it. */
export interface Trouble {
  readonly code: string
  readonly facts: Facts
  readonly texts: AuthorityTexts | null
}

/** `registered` in `resuming`: the center told it already. `certain`: in `stopped`, that nothing stays issued. */
export type State =
  | { readonly at: 'opening' }
  | { readonly at: 'unable'; readonly trouble: Trouble }
  | { readonly at: 'choosing'; readonly trouble: Trouble | null }
  | { readonly at: 'making' }
  | { readonly at: 'resuming'; readonly draft: Draft; readonly registered: Told | null; readonly anew: boolean }
  | { readonly at: 'unlocking'; readonly draft: Draft; readonly registered: Told | null; readonly anew: boolean }
  | { readonly at: 'made'; readonly draft: Draft }
  | { readonly at: 'asking'; readonly draft: Draft; readonly registered: Told }
  | { readonly at: 'sent'; readonly draft: Draft; readonly trouble: Trouble | null }
  | { readonly at: 'weighing'; readonly draft: Draft }
  | { readonly at: 'issued'; readonly record: KeptRecord; readonly kept: boolean }
  | { readonly at: 'stopped'; readonly trouble: Trouble; readonly certain: boolean }
  | { readonly at: 'over' }

/** What happened. `found`: the draft of this flow; `can`: whether this browser keeps what is written. */
export type Event =
  | { readonly on: 'opened'; readonly found: Draft | null; readonly can: boolean; readonly alone: boolean; readonly stands: Stands }
  | { readonly on: 'chosen' }
  | { readonly on: 'kept'; readonly draft: Draft }
  | { readonly on: 'typed' }
  | { readonly on: 'unlocked'; readonly stands: Stands }
  | { readonly on: 'locked' }
  | { readonly on: 'forgotten' }
  | { readonly on: 'rested' }
  | { readonly on: 'registered'; readonly registered: Told }
  | { readonly on: 'ready'; readonly draft: Draft }
  | { readonly on: 'carried'; readonly message: Uint8Array; readonly idn: string | null }
  | { readonly on: 'concluded'; readonly record: KeptRecord; readonly kept: boolean }
  | { readonly on: 'rejected'; readonly code: string }
  | { readonly on: 'broke'; readonly trouble: Trouble; readonly proven: boolean }
  | { readonly on: 'again' }
  | { readonly on: 'failed'; readonly code: string }
  | { readonly on: 'changed'; readonly record: KeptRecord }
  | { readonly on: 'left' }

/** What is to be done. `weigh`: open the answer with what was sent (`idn`: what came beside a renewed certificate); `drop`: remove the draft; `rest`: end the worker. */
export type Effect =
  | { readonly do: 'make' }
  | { readonly do: 'open'; readonly draft: Draft }
  | { readonly do: 'request'; readonly draft: Draft; readonly registered: Told }
  | { readonly do: 'weigh'; readonly draft: Draft; readonly message: Uint8Array; readonly idn: string | null }
  | { readonly do: 'drop' }
  | { readonly do: 'rest' }
  | { readonly do: 'tell-made'; readonly draft: Draft }
  | { readonly do: 'tell-carry'; readonly draft: Draft }
  | { readonly do: 'tell-issued'; readonly record: KeptRecord; readonly kept: boolean }
  | { readonly do: 'tell-done' }
  | { readonly do: 'tell-cancelled' }

export interface Step {
  readonly state: State
  readonly effects: readonly Effect[]
}

type At = State['at']
type On = Event['on']

/** The specification: which events a state knows, and where each may lead. */
export const EDGES: Readonly<Record<At, Partial<Record<On, readonly At[]>>>> = {
  opening: { opened: ['unable', 'choosing', 'resuming'], left: ['over'] },
  unable: { left: ['over'] },
  choosing: { chosen: ['making'], left: ['over'] },
  making: { kept: ['made'], broke: ['choosing', 'unable'], left: ['over'] },
  resuming: {
    typed: ['unlocking'],
    forgotten: ['choosing'],
    registered: ['resuming'],
    failed: ['stopped'],
    left: ['over'],
  },
  unlocking: {
    unlocked: ['made', 'asking', 'sent'],
    locked: ['resuming'],
    broke: ['stopped'],
    registered: ['unlocking'],
    failed: ['stopped'],
    left: ['over'],
  },
  made: { registered: ['asking'], rested: ['resuming'], failed: ['stopped'], left: ['over'] },
  asking: { ready: ['sent'], broke: ['stopped'] },
  sent: { carried: ['weighing'], again: ['sent'], failed: ['stopped'] },
  weighing: { ready: ['sent'], concluded: ['issued'], rejected: ['stopped'], broke: ['sent', 'stopped'] },
  issued: { changed: ['issued'], left: ['over'] },
  stopped: { left: ['over'] },
  over: {},
}

/** The next state and what is to be done. */
export function advance(state: State, event: Event): Step {
  if (EDGES[state.at][event.on] === undefined) return { state, effects: [] }
  return move(state, event)
}

function move(state: State, event: Event): Step {
  if (event.on === 'left') return leave(state)
  if (event.on === 'failed') return stop({ code: event.code, facts: {}, texts: null }, !mayBeIssued(state))
  switch (state.at) {
    case 'opening':
      return event.on === 'opened' ? opened(event) : stay(state)
    case 'choosing':
      return to({ at: 'making' }, { do: 'make' })
    case 'making':
      return made(state, event)
    case 'resuming':
      return resuming(state, event)
    case 'unlocking':
      return unlocking(state, event)
    case 'made':
      return waitingFor(state, event)
    case 'asking':
    case 'sent':
    case 'weighing':
      return exchanging(state, event)
    case 'issued':
      return event.on === 'changed' ? to({ ...state, record: event.record }) : stay(state)
    default:
      return stay(state)
  }
}

function to(state: State, ...effects: readonly Effect[]): Step {
  return { state, effects }
}

function stay(state: State): Step {
  return { state, effects: [] }
}

function stop(trouble: Trouble, certain: boolean): Step {
  return to({ at: 'stopped', trouble, certain }, { do: 'rest' })
}

function plain(code: string): Trouble {
  return { code, facts: {}, texts: null }
}

function opened({ found, can, alone, stands }: Extract<Event, { on: 'opened' }>): Step {
  if (!alone) return to({ at: 'unable', trouble: plain('issue-elsewhere') })
  if (!can) return to({ at: 'unable', trouble: plain('issue-cannot-keep') })
  const registered = stands === 'requested' || stands === 'delivered'
  if (found !== null) return to({ at: 'resuming', draft: found, registered: null, anew: !registered })
  // The authority certifies only the key that lies in another browser, or lay here.
  if (registered) return to({ at: 'unable', trouble: plain('issue-draft-missing') })
  return to({ at: 'choosing', trouble: null })
}

function made(state: State, event: Event): Step {
  if (event.on === 'kept') return to({ at: 'made', draft: event.draft }, { do: 'tell-made', draft: event.draft })
  if (event.on !== 'broke') return stay(state)
  const { trouble } = event
  if (trouble.code === 'cannot-keep') return to({ at: 'unable', trouble: plain('issue-cannot-keep') }, { do: 'drop' }, { do: 'rest' })
  return to({ at: 'choosing', trouble }, { do: 'drop' }, { do: 'rest' })
}

function resuming(state: Extract<State, { at: 'resuming' }>, event: Event): Step {
  if (event.on === 'registered') return to({ ...state, registered: event.registered, anew: false })
  if (event.on === 'typed') return to({ ...state, at: 'unlocking' }, { do: 'open', draft: state.draft })
  if (event.on === 'forgotten' && state.anew) return to({ at: 'choosing', trouble: null }, { do: 'drop' })
  return stay(state)
}

function unlocking(state: Extract<State, { at: 'unlocking' }>, event: Event): Step {
  if (event.on === 'locked') return to({ ...state, at: 'resuming' })
  if (event.on === 'registered') return to({ ...state, registered: event.registered, anew: false })
  if (event.on === 'broke') return stop(event.trouble, !mayBeIssued(state))
  if (event.on !== 'unlocked') return stay(state)
  const { draft, registered } = state
  const requested = event.stands === 'requested' || event.stands === 'delivered'
  if (draft.sent !== null && requested) return to({ at: 'sent', draft, trouble: null }, { do: 'tell-carry', draft })
  if (registered !== null) return to({ at: 'asking', draft, registered }, { do: 'request', draft, registered })
  return to({ at: 'made', draft }, { do: 'tell-made', draft })
}

function waitingFor(state: Extract<State, { at: 'made' }>, event: Event): Step {
  const { draft } = state
  if (event.on === 'rested') return to({ at: 'resuming', draft, registered: null, anew: false }, { do: 'rest' })
  if (event.on !== 'registered') return stay(state)
  const { registered } = event
  return to({ at: 'asking', draft, registered }, { do: 'request', draft, registered })
}

function exchanging(state: Extract<State, { at: 'asking' | 'sent' | 'weighing' }>, event: Event): Step {
  const { draft } = state
  switch (event.on) {
    case 'ready':
      return to({ at: 'sent', draft: event.draft, trouble: null }, { do: 'tell-carry', draft: event.draft })
    case 'carried':
      return to({ at: 'weighing', draft }, { do: 'weigh', draft, message: event.message, idn: event.idn })
    case 'again':
      return to({ at: 'sent', draft, trouble: null }, { do: 'tell-carry', draft })
    case 'concluded':
      return to(
        { at: 'issued', record: event.record, kept: event.kept },
        { do: 'drop' },
        { do: 'tell-issued', record: event.record, kept: event.kept },
      )
    case 'rejected':
      return drop(stop(plain(event.code), true))
    case 'broke':
      return broke(state, event.trouble, event.proven)
    default:
      return stay(state)
  }
}

/** A proven no ends it; an answer that is not believed ends nothing, and the same bytes may be carried again (D9). */
function broke(state: State & { readonly draft: Draft }, trouble: Trouble, proven: boolean): Step {
  if (proven) return drop(stop(trouble, true))
  if (state.at === 'weighing') return to({ at: 'sent', draft: state.draft, trouble })
  return stop(trouble, !mayBeIssued(state))
}

function drop(step: Step): Step {
  return { state: step.state, effects: [...step.effects, { do: 'drop' }] }
}

function leave(state: State): Step {
  const ended = state.at === 'issued'
  return to({ at: 'over' }, { do: 'rest' }, { do: ended ? 'tell-done' : 'tell-cancelled' })
}

/** Whether the authority may have issued already: then nobody is told that it has not. */
export function mayBeIssued(state: State): boolean {
  return 'draft' in state && state.draft.sent !== null
}
