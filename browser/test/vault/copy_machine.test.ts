/** The machine of a copy in both roles: its tables, and what may never happen in any order of events (C8, C13, C14). */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { advance, EDGES, type Effect, type Event, type State } from '../../src/vault/copy_machine.ts'
import { COPY_ROLES, type CopyRole } from '../../src/vault/copy_messages.ts'
import type { KeptRecord } from '../../src/vault/record.ts'

const NOTHING = new Uint8Array(0)
const RECORD: KeptRecord = { version: 1, id: 'b'.repeat(32), certificate: NOTHING, slots: [], nonce: NOTHING, sealed: NOTHING }
const TROUBLE = { code: 'copy-broken', facts: {} }
const INVITATION = { mailbox: '41234', digits: '5678901', qr: null, qrEnds: 1, ends: 2 }
const OPEN = { act: 'open', mailbox: null } as const
const JOIN = { act: 'join', mailbox: '41234' } as const
const NEW = { certificate: NOTHING, twins: [] }
const TWIN = { certificate: NOTHING, twins: [RECORD] }

const STATES: readonly State[] = [
  { at: 'opening' },
  { at: 'choosing', trouble: null },
  { at: 'renewing' },
  { at: 'proving' },
  { at: 'vouching' },
  { at: 'numbering' },
  { at: 'fetching', meeting: OPEN },
  { at: 'fetching', meeting: JOIN },
  { at: 'dialing', meeting: OPEN },
  { at: 'dialing', meeting: JOIN },
  { at: 'inviting', invitation: INVITATION },
  { at: 'lapsed', trouble: TROUBLE },
  { at: 'scanning' },
  { at: 'keying' },
  { at: 'comparing', words: [1, 2] },
  { at: 'sending', asking: false },
  { at: 'examining' },
  { at: 'judging', arrival: NEW },
  { at: 'judging', arrival: TWIN },
  { at: 'replacing', arrival: TWIN },
  { at: 'storing', arrival: NEW },
  { at: 'copied', record: RECORD },
  { at: 'ended', trouble: TROUBLE, retry: true },
  { at: 'ended', trouble: TROUBLE, retry: false },
  { at: 'over' },
]

const EVENTS: readonly Event[] = [
  ...COPY_ROLES.flatMap((role): Event[] => [
    { on: 'opened', role, alone: true, can: true },
    { on: 'opened', role, alone: true, can: false },
    { on: 'opened', role, alone: false, can: true },
  ]),
  { on: 'chosen', stale: false },
  { on: 'chosen', stale: true },
  { on: 'renewed' },
  { on: 'proved' },
  { on: 'locked' },
  { on: 'broke', trouble: TROUBLE },
  { on: 'accepted' },
  { on: 'failed', code: 'copy-not-registered' },
  { on: 'typed', mailbox: '41234' },
  { on: 'invite' },
  { on: 'back' },
  { on: 'scan' },
  { on: 'scanned', mailbox: '41234' },
  { on: 'ticket' },
  { on: 'invited', invitation: INVITATION },
  { on: 'lapse', trouble: TROUBLE },
  { on: 'met' },
  { on: 'words', words: [1, 2] },
  { on: 'agreed' },
  { on: 'differ' },
  { on: 'asking' },
  { on: 'acknowledged' },
  { on: 'delivered' },
  { on: 'examined', arrival: NEW },
  { on: 'examined', arrival: TWIN },
  { on: 'replace' },
  { on: 'decline' },
  { on: 'stored', record: RECORD },
  { on: 'changed', record: RECORD },
  { on: 'over', trouble: TROUBLE },
  { on: 'left' },
  { on: 'again' },
]

/** Which states a role can be in at all. */
function statesOf(role: CopyRole): readonly State[] {
  return STATES.filter(({ at }) => Object.keys(EDGES[role][at]).length > 0 || at === 'over')
}

for (const role of COPY_ROLES) {
  test(`${role}: every event in every state leads where the table says, and nowhere else`, () => {
    const walked = new Set<string>()
    for (const state of statesOf(role)) {
      for (const event of EVENTS.filter((each) => each.on !== 'opened' || each.role === role)) {
        const { state: next, effects } = advance(role, state, event)
        const allowed = EDGES[role][state.at][event.on]
        if (allowed === undefined) {
          assert.equal(next, state, `${state.at} ${event.on}`)
          assert.deepEqual(effects, [])
        } else {
          assert.ok(allowed.includes(next.at), `${state.at} ${event.on} → ${next.at}`)
          walked.add(`${state.at} ${event.on} ${next.at}`)
        }
      }
    }
    const edges = Object.entries(EDGES[role]).flatMap(([at, events]) =>
      Object.entries(events).flatMap(([on, targets]) => (targets ?? []).map((target) => `${at} ${on} ${target}`)),
    )
    assert.deepEqual(edges.filter((edge) => !walked.has(edge)), [])
  })
}

/** Pseudo-random walks, the same each time. */
function* walks(count: number): Generator<readonly { state: State; event: Event; effects: readonly Effect[]; role: CopyRole }[]> {
  let seed = 20_261_126
  const next = (most: number): number => {
    seed = (seed * 1_103_515_245 + 12_345) & 0x7fffffff
    return seed % most
  }
  for (let walk = 0; walk < count; walk += 1) {
    const role = COPY_ROLES[walk % 2]!
    let state: State = { at: 'opening' }
    const steps = []
    for (let step = 0; step < 40; step += 1) {
      const known = EVENTS.filter((each) => EDGES[role][state.at][each.on] !== undefined)
      const event = known.length > 0 && next(4) > 0 ? known[next(known.length)]! : EVENTS[next(EVENTS.length)]!
      if (event.on === 'opened' && event.role !== role) continue
      const moved = advance(role, state, event)
      steps.push({ state, event, effects: moved.effects, role })
      state = moved.state
    }
    yield steps
  }
}

function done(steps: readonly { effects: readonly Effect[] }[]): string[] {
  return steps.flatMap(({ effects }) => effects.map((effect) => effect.do))
}

test('C13 no walk tells `copied` without what was stored here, or acknowledged by the other side', () => {
  for (const steps of walks(4000)) {
    for (const { event, effects, role } of steps) {
      if (!effects.some((effect) => effect.do === 'tell-copied')) continue
      assert.equal(event.on, role === 'send' ? 'acknowledged' : 'stored')
    }
  }
})

test('C8 in no walk is a certificate sent twice in a run, or without the person who saw the words', () => {
  for (const steps of walks(4000)) {
    const told = done(steps)
    assert.ok(told.filter((each) => each === 'send').length <= told.filter((each) => each === 'dial').length)
    assert.ok(told.filter((each) => each === 'tell-paired').length <= told.filter((each) => each === 'dial').length)
    for (const { state, event, effects } of steps) {
      if (effects.some((effect) => effect.do === 'send')) assert.deepEqual([state.at, event.on], ['comparing', 'agreed'])
    }
  }
})

test('C8 a number is typed once: only after its run has ended does a press lead back to the boxes', () => {
  for (const steps of walks(4000)) {
    let typed = false
    for (const { state, event, effects } of steps) {
      if (typed && state.at === 'numbering') assert.fail('back at the boxes within a run')
      if (event.on === 'typed' && effects.length > 0) typed = true
      if (state.at === 'ended' && event.on === 'again') typed = false
    }
  }
})

test('C14 nothing is stored that the center did not allow, or over another without a yes', () => {
  for (const steps of walks(4000)) {
    for (const { state, event, effects } of steps) {
      for (const effect of effects) {
        if (effect.do !== 'store') continue
        if (effect.arrival.twins.length > 0) assert.deepEqual([state.at, event.on], ['replacing', 'replace'])
        else assert.deepEqual([state.at, event.on], ['judging', 'accepted'])
      }
    }
  }
})

function walk(role: CopyRole, events: readonly Event[]): { state: State; told: string[] } {
  let state: State = { at: 'opening' }
  const told: string[] = []
  for (const event of events) {
    const step = advance(role, state, event)
    state = step.state
    told.push(...step.effects.map((effect) => effect.do))
  }
  return { state, told }
}

test('the straight way of a sender that types the number', () => {
  const { state, told } = walk('send', [
    { on: 'opened', role: 'send', alone: true, can: true },
    { on: 'chosen', stale: false },
    { on: 'proved' },
    { on: 'accepted' },
    { on: 'typed', mailbox: '41234' },
    { on: 'ticket' },
    { on: 'met' },
    { on: 'words', words: [1, 2] },
    { on: 'agreed' },
    { on: 'asking' },
    { on: 'acknowledged' },
    { on: 'left' },
  ])
  assert.equal(state.at, 'over')
  assert.deepEqual(told, ['prove', 'tell-proved', 'tell-wanted', 'dial', 'tell-paired', 'send', 'tell-copied', 'tell-done'])
})

test('the straight way of a receiver, with a certificate that was there', () => {
  const { state, told } = walk('receive', [
    { on: 'opened', role: 'receive', alone: true, can: true },
    { on: 'ticket' },
    { on: 'invited', invitation: INVITATION },
    { on: 'met' },
    { on: 'words', words: [1, 2] },
    { on: 'delivered' },
    { on: 'examined', arrival: TWIN },
    { on: 'accepted' },
    { on: 'replace' },
    { on: 'stored', record: RECORD },
    { on: 'left' },
  ])
  assert.equal(state.at, 'over')
  assert.deepEqual(told, [
    'tell-wanted', 'dial', 'tell-opened', 'tell-paired', 'examine', 'tell-arrived', 'ask', 'store', 'acknowledge',
    'tell-copied', 'tell-done',
  ])
})

test('M-COPY-09 without storage, or beside another window, no number is asked for', () => {
  for (const [alone, can, code] of [[true, false, 'cannot-keep'], [false, true, 'copy-elsewhere']] as const) {
    const { state, told } = walk('receive', [{ on: 'opened', role: 'receive', alone, can }])
    assert.deepEqual([state.at === 'ended' && state.trouble.code, told], [code, ['tell-ended']])
  }
})

test('a number that nobody used lapses and another is asked for; the one before is given up first', () => {
  const lapsed = walk('receive', [
    { on: 'opened', role: 'receive', alone: true, can: true },
    { on: 'ticket' },
    { on: 'invited', invitation: INVITATION },
    { on: 'lapse', trouble: TROUBLE },
    { on: 'invite' },
  ])
  assert.deepEqual([lapsed.state.at, lapsed.told], ['fetching', ['tell-wanted', 'dial', 'tell-opened', 'tell-wanted']])
  const fresh = advance('receive', { at: 'inviting', invitation: INVITATION }, { on: 'invite' })
  assert.deepEqual(fresh.effects, [{ do: 'hang-up' }, { do: 'tell-wanted', meeting: OPEN }])
})

test('M-COPY-03 a number that the relay does not know ends the run and says so', () => {
  const { state, effects } = advance('send', { at: 'dialing', meeting: JOIN }, { on: 'lapse', trouble: TROUBLE })
  assert.deepEqual([state, effects], [{ at: 'ended', trouble: TROUBLE, retry: true }, [{ do: 'tell-ended', code: 'copy-broken' }]])
  assert.deepEqual(advance('send', state, { on: 'again' }), { state: { at: 'numbering' }, effects: [] })
  const unknown = advance('send', { at: 'fetching', meeting: JOIN }, { on: 'failed', code: 'copy-number-unknown' })
  assert.equal(unknown.state.at === 'ended' && unknown.state.retry, true)
})

test('a copy that the center has ended is begun anew by the page alone', () => {
  for (const role of COPY_ROLES) {
    const { state } = advance(role, { at: 'fetching', meeting: OPEN }, { on: 'failed', code: 'copy-over' })
    assert.deepEqual(advance(role, state, { on: 'again' }), { state: { at: 'over' }, effects: [{ do: 'tell-done' }] })
  }
})

test('C14 the center’s no is passed on to the other device, and nothing is stored', () => {
  const { state, effects } = advance('receive', { at: 'judging', arrival: NEW }, { on: 'failed', code: 'bound-to-other' })
  assert.equal(state.at, 'ended')
  assert.deepEqual(effects, [{ do: 'refuse', code: 'bound-to-other' }, { do: 'tell-ended', code: 'bound-to-other' }])
})

test('M-COPY-08 a no to replacing ends it on both sides and changes nothing here', () => {
  const { effects } = advance('receive', { at: 'replacing', arrival: TWIN }, { on: 'decline' })
  assert.deepEqual(effects, [{ do: 'refuse', code: 'replace-declined' }, { do: 'tell-ended', code: 'replace-declined' }])
})

test('a signature that the center does not take leads back to the choice', () => {
  const { state } = advance('send', { at: 'vouching' }, { on: 'failed', code: 'cert-revoked' })
  assert.deepEqual(state, { at: 'choosing', trouble: { code: 'cert-revoked', facts: {} } })
})

test('C13 a link that breaks while it is being written ends nothing: what was kept is kept', () => {
  const storing: State = { at: 'storing', arrival: NEW }
  assert.deepEqual(advance('receive', storing, { on: 'over', trouble: TROUBLE }), { state: storing, effects: [] })
})

test('C13 once it has left, whoever stops it is told that nobody here knows whether it is stored', () => {
  const sending: State = { at: 'sending', asking: false }
  for (const event of [{ on: 'left' }, { on: 'failed', code: 'copy-over' }] as const) {
    const { state } = advance('send', sending, event)
    assert.equal(state.at === 'ended' && state.trouble.code, 'copy-unconfirmed')
  }
})
