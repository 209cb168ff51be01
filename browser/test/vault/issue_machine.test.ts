/** The machine of an issue: its table, every interruption, and that nothing is sent before it is kept (security B10). */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Draft, Sent } from '../../src/vault/draft.ts'
import { advance, EDGES, type Event, mayBeIssued, type State } from '../../src/vault/issue_machine.ts'
import type { KeptRecord } from '../../src/vault/record.ts'
import { registered } from './issue_request.ts'

const NOTHING = new Uint8Array(0)
const SEALED = { nonce: NOTHING, sealed: NOTHING }
const MADE: Draft = {
  version: 1,
  flow: 'a'.repeat(32),
  id: 'b'.repeat(32),
  spki: 'c'.repeat(64),
  created: 0,
  slot: { kind: 'password', rounds: 1, salt: NOTHING, ...SEALED },
  key: SEALED,
  codes: null,
  sent: null,
}
const SENT: Sent = { what: 'ir', bytes: Uint8Array.of(1), exchange: {} as Sent['exchange'], why: null }
const ASKED: Draft = { ...MADE, codes: SEALED, sent: SENT }
const RECORD: KeptRecord = { version: 1, id: MADE.id, certificate: NOTHING, slots: [], ...SEALED }
const TROUBLE = { code: 'outage', facts: {}, texts: null }

const STATES: readonly State[] = [
  { at: 'opening' },
  { at: 'unable', trouble: TROUBLE },
  { at: 'choosing', trouble: null },
  { at: 'making' },
  { at: 'resuming', draft: MADE, registered: null, anew: true },
  { at: 'resuming', draft: ASKED, registered: null, anew: false },
  { at: 'unlocking', draft: MADE, registered: null, anew: true },
  { at: 'unlocking', draft: MADE, registered: registered(), anew: false },
  { at: 'unlocking', draft: ASKED, registered: null, anew: false },
  { at: 'made', draft: MADE },
  { at: 'asking', draft: MADE, registered: registered() },
  { at: 'sent', draft: ASKED, trouble: null },
  { at: 'weighing', draft: ASKED },
  { at: 'issued', record: RECORD, kept: true },
  { at: 'stopped', trouble: TROUBLE, certain: true },
  { at: 'over' },
]
const STANDS = ['key', 'product', 'requested', 'delivered'] as const
const EVENTS: readonly Event[] = [
  ...STANDS.flatMap((stands): Event[] =>
    [null, MADE, ASKED].flatMap((found): Event[] =>
      [true, false].flatMap((can): Event[] => [
        { on: 'opened', found, can, alone: true, stands },
        { on: 'opened', found, can, alone: false, stands },
      ]),
    ),
  ),
  { on: 'chosen' },
  { on: 'kept', draft: MADE },
  { on: 'typed' },
  ...STANDS.map((stands): Event => ({ on: 'unlocked', stands })),
  { on: 'locked' },
  { on: 'forgotten' },
  { on: 'rested' },
  { on: 'registered', registered: registered() },
  { on: 'ready', draft: ASKED },
  { on: 'carried', message: NOTHING, idn: null },
  { on: 'concluded', record: RECORD, kept: true },
  { on: 'rejected', code: 'issued-vid' },
  { on: 'broke', trouble: TROUBLE, proven: false },
  { on: 'broke', trouble: { ...TROUBLE, code: 'cannot-keep' }, proven: false },
  { on: 'broke', trouble: TROUBLE, proven: true },
  { on: 'again' },
  { on: 'failed', code: 'refused' },
  { on: 'changed', record: RECORD },
  { on: 'left' },
]

test('every event in every state leads where the table says, and nowhere else', () => {
  const walked = new Set<string>()
  for (const state of STATES) {
    for (const event of EVENTS) {
      const { state: next, effects } = advance(state, event)
      const allowed = EDGES[state.at][event.on]
      if (allowed === undefined) {
        assert.equal(next, state, `${state.at} ${event.on}`)
        assert.deepEqual(effects, [])
      } else if (next !== state) {
        assert.ok(allowed.includes(next.at), `${state.at} ${event.on} → ${next.at}`)
        walked.add(`${state.at} ${event.on} ${next.at}`)
      }
    }
  }
  const edges = Object.entries(EDGES).flatMap(([at, events]) =>
    Object.entries(events).flatMap(([on, targets]) => (targets ?? []).map((target) => `${at} ${on} ${target}`)),
  )
  assert.deepEqual(edges.filter((edge) => !walked.has(edge)), [])
})

test('B10 the authority is asked only for what is kept: a message leaves with a draft that holds its bytes', () => {
  for (const state of STATES) {
    for (const event of EVENTS) {
      for (const effect of advance(state, event).effects) {
        if (effect.do === 'tell-carry') assert.notEqual(effect.draft.sent, null)
        if (effect.do === 'tell-issued') assert.equal(event.on, 'concluded')
      }
    }
  }
})

test('the straight way: password, kept, ⑥, ir, certificate, confirmation, done', () => {
  let state: State = { at: 'opening' }
  const told: string[] = []
  const steps: Event[] = [
    { on: 'opened', found: null, can: true, alone: true, stands: 'key' },
    { on: 'chosen' },
    { on: 'kept', draft: MADE },
    { on: 'registered', registered: registered() },
    { on: 'ready', draft: ASKED },
    { on: 'carried', message: NOTHING, idn: null },
    { on: 'ready', draft: { ...ASKED, sent: { ...SENT, what: 'certConf' } } },
    { on: 'carried', message: NOTHING, idn: null },
    { on: 'concluded', record: RECORD, kept: true },
    { on: 'left' },
  ]
  for (const event of steps) {
    const step = advance(state, event)
    state = step.state
    told.push(...step.effects.map((effect) => effect.do))
  }
  assert.equal(state.at, 'over')
  assert.deepEqual(told, [
    'make', 'tell-made', 'request', 'tell-carry', 'weigh', 'tell-carry', 'weigh', 'drop', 'tell-issued', 'rest', 'tell-done',
  ])
})

test('after a reload the password is asked for once, and the same bytes go out again', () => {
  const opened = advance({ at: 'opening' }, { on: 'opened', found: ASKED, can: true, alone: true, stands: 'requested' })
  assert.equal(opened.state.at, 'resuming')
  assert.deepEqual(opened.effects, [])
  const tried = advance(opened.state, { on: 'typed' })
  const step = advance(tried.state, { on: 'unlocked', stands: 'requested' })
  assert.deepEqual(step.effects, [{ do: 'tell-carry', draft: ASKED }])
})

test('a wrong password changes nothing and may be tried again', () => {
  const locked = advance({ at: 'unlocking', draft: ASKED, registered: null, anew: false }, { on: 'locked' })
  assert.deepEqual(locked.state, { at: 'resuming', draft: ASKED, registered: null, anew: false })
  assert.deepEqual(locked.effects, [])
})

test('a forgotten password throws the draft away only while nothing is registered', () => {
  const early: State = { at: 'resuming', draft: MADE, registered: null, anew: true }
  assert.equal(advance(early, { on: 'forgotten' }).state.at, 'choosing')
  const late: State = { at: 'resuming', draft: ASKED, registered: null, anew: false }
  assert.equal(advance(late, { on: 'forgotten' }).state, late)
})

test('nobody leaves by a button once the authority may be asked', () => {
  for (const state of STATES.filter((each) => ['asking', 'sent', 'weighing'].includes(each.at))) {
    assert.equal(advance(state, { on: 'left' }).state, state)
  }
})

test('an answer that is not believed ends nothing; a proven no ends it and clears the draft', () => {
  const state: State = { at: 'weighing', draft: ASKED }
  const doubted = advance(state, { on: 'broke', trouble: TROUBLE, proven: false })
  assert.deepEqual(doubted.state, { at: 'sent', draft: ASKED, trouble: TROUBLE })
  assert.deepEqual(advance(doubted.state, { on: 'again' }).effects, [{ do: 'tell-carry', draft: ASKED }])
  const refused = advance(state, { on: 'broke', trouble: TROUBLE, proven: true })
  assert.deepEqual(refused.state, { at: 'stopped', trouble: TROUBLE, certain: true })
  assert.deepEqual(refused.effects, [{ do: 'rest' }, { do: 'drop' }])
})

test('where the center gives up after the request went out, nobody is told that nothing was issued', () => {
  const late = advance({ at: 'sent', draft: ASKED, trouble: null }, { on: 'failed', code: 'refused' })
  assert.equal(late.state.at === 'stopped' && late.state.certain, false)
  const early = advance({ at: 'made', draft: MADE }, { on: 'failed', code: 'refused' })
  assert.equal(early.state.at === 'stopped' && early.state.certain, true)
  assert.equal(mayBeIssued({ at: 'sent', draft: ASKED, trouble: null }), true)
})

test('no storage, another window, or a key that lies elsewhere: nothing is made', () => {
  const open = (found: Draft | null, can: boolean, alone: boolean, stands: 'key' | 'requested'): string => {
    const { state } = advance({ at: 'opening' }, { on: 'opened', found, can, alone, stands })
    return state.at === 'unable' ? state.trouble.code : state.at
  }
  assert.equal(open(null, false, true, 'key'), 'issue-cannot-keep')
  assert.equal(open(null, true, false, 'key'), 'issue-elsewhere')
  assert.equal(open(null, true, true, 'requested'), 'issue-draft-missing')
  assert.equal(open(null, true, true, 'key'), 'choosing')
})

test('after a long rest at ⑥ the codes wait until the password was typed', () => {
  const rested = advance({ at: 'made', draft: MADE }, { on: 'rested' })
  assert.deepEqual(rested.effects, [{ do: 'rest' }])
  const told = advance(rested.state, { on: 'registered', registered: registered() })
  assert.deepEqual(told.effects, [])
  const tried = advance(told.state, { on: 'typed' })
  const step = advance(tried.state, { on: 'unlocked', stands: 'product' })
  assert.deepEqual(step.effects, [{ do: 'request', draft: MADE, registered: registered() }])
})
