/** Both ends of a copy against each other, and against whoever comes between (security C7, C8, C10, C13). */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { advance, begin, EDGES, type Event, type Own, type State } from '../../src/pure/channel/endpoint.ts'
import { INNER, payloadDigest, readConfirm, readShareA, seal, TYPES, writeConfirm } from '../../src/pure/channel/frames.ts'
import { commitmentOf, type Role } from '../../src/pure/channel/schedule.ts'
import { WHYS } from '../../src/pure/channel/states.ts'
import { toHex } from '../../src/pure/octets.ts'
import { bodies, MAILBOX, own, Pair, PAYLOAD, Side } from './channel_pair.ts'
import { counted } from './vectors.ts'

const DIGEST = payloadDigest(PAYLOAD)

function ends(pair: Pair): readonly (string | null)[] {
  return [pair.sender.at, pair.sender.code, pair.receiver.at, pair.receiver.code]
}

/** Both have the key and show words. */
function keyed(sender: Partial<Own> = {}, receiver: Partial<Own> = {}): Pair {
  return new Pair(sender, receiver).meet().carry()
}

test('C7 a certificate goes over when both have proved the key, the person agreed, and the storage gave it back', () => {
  const pair = keyed()
  assert.deepEqual([pair.sender.at, pair.receiver.at], ['keyConfirmed', 'keyConfirmed'])
  const [words] = pair.sender.did('showWords')
  assert.ok(words?.do === 'showWords')
  const [shown] = pair.receiver.did('showWords')
  assert.deepEqual(shown?.do === 'showWords' && shown.words, words.words)
  pair.take('sender', { on: 'agreed', payload: PAYLOAD })
  pair.carry()
  assert.deepEqual(pair.receiver.did('deliver'), [{ do: 'deliver', payload: PAYLOAD }])
  pair.take('receiver', { on: 'asked' })
  pair.take('receiver', { on: 'asked' })
  pair.carry()
  assert.equal(pair.sender.end.state.at === 'sending' && pair.sender.end.state.asked, true)
  pair.take('receiver', { on: 'stored', digest: DIGEST })
  assert.equal(pair.sender.at, 'sending')
  pair.carry()
  assert.deepEqual(ends(pair), ['acknowledged', 'copy-done', 'acknowledged', 'copy-done'])
  assert.deepEqual(pair.sender.did('close'), [{ do: 'close', why: 'done' }])
  assert.deepEqual(pair.receiver.did('close'), [])
  assert.ok(pair.sender.end.over && pair.receiver.end.over)
})

test('each shows the other’s device text, as that one claims it', () => {
  const pair = keyed()
  const device = ({ did }: { did: Side['did'] }): string => {
    const [shown] = did('showWords')
    return shown?.do === 'showWords' ? new TextDecoder().decode(shown.device) : ''
  }
  assert.equal(device({ did: (what) => pair.sender.did(what) }), '휴대폰')
  assert.equal(device({ did: (what) => pair.receiver.did(what) }), 'Chrome, Windows')
})

const QR = (): Uint8Array => counted(9)(16)

test('C5 by QR in both directions: the receiver shows it, or the sender does', () => {
  assert.equal(keyed({ qr: QR() }, { qr: QR() }).receiver.at, 'keyConfirmed')
  const shown = keyed({ qr: QR(), opened: true }, { qr: QR(), opened: false })
  assert.deepEqual([shown.sender.at, shown.receiver.at], ['keyConfirmed', 'keyConfirmed'])
})

test('C7 who shows a QR beside the number takes either, but a scanned one never falls back to digits', () => {
  assert.equal(keyed({}, { qr: QR() }).receiver.at, 'keyConfirmed')
  // A sender with the same digits and another QR: one wrong guess, in its mode.
  assert.deepEqual(ends(keyed({ qr: counted(1)(16) }, { qr: QR() })).slice(0, 2), ['wrongCode', 'copy-wrong-number'])
  // A receiver that scanned hears a sender that says it typed.
  assert.equal(keyed({ opened: true, qr: QR() }, { opened: false, qr: QR() }).receiver.at, 'keyConfirmed')
  const forged = new Pair({ opened: true, qr: QR() }, { opened: false, qr: QR() }).meet()
  forged.carry(2, (body) => (body[0] === TYPES.shareA ? changed(body, 2, 'n'.charCodeAt(0)) : body))
  assert.equal(forged.receiver.at, 'broken')
  // A receiver without a QR hears a sender that says it scanned.
  assert.equal(keyed({ qr: QR() }, {}).receiver.at, 'broken')
})

function changed(body: Uint8Array, at: number, octet: number): Uint8Array {
  const copy = Uint8Array.from(body)
  copy[at] = octet
  return copy
}

test('a beginning that the rules do not know is none', () => {
  assert.throws(() => begin(own('sender', { opened: true }), null), RangeError)
  assert.throws(() => begin(own('receiver', { opened: false }), MAILBOX), RangeError)
  assert.throws(() => begin(own('sender'), null), RangeError)
  assert.throws(() => begin(own('sender', { nonce: new Uint8Array(15) }), MAILBOX), RangeError)
  assert.throws(() => begin(own('sender', { lot: new Uint8Array(15) }), MAILBOX), RangeError)
})

test('C8 a wrong number ends it on both screens, without a word of the certificate', () => {
  for (const over of [{ digits: '5678902' }, { relay: 'http://localhost:8706' }]) {
    const pair = keyed(over)
    assert.deepEqual(ends(pair).slice(0, 2), ['wrongCode', 'copy-wrong-number'])
    assert.deepEqual(pair.sender.did('close'), [{ do: 'close', why: 'wrong' }])
    assert.equal(pair.sender.did('send').length, 1)
    pair.take('receiver', { on: 'closed', why: 'wrong' })
    assert.deepEqual(ends(pair).slice(2), ['wrongCode', 'copy-wrong-number'])
    // Neither of them takes up the run again.
    for (const side of [pair.sender, pair.receiver]) {
      assert.deepEqual(side.take({ on: 'heard', body: bodies(pair.receiver.did('send'))[0]! }), [])
      assert.deepEqual(side.take({ on: 'admitted', mailbox: MAILBOX }), [])
    }
  }
})

test('C8 a receiver answers one share and never a second', () => {
  const pair = new Pair().meet().carry(1)
  const { body } = pair.underWay[0]!
  pair.carry(1)
  assert.equal(pair.receiver.did('send').length, 2)
  assert.deepEqual(pair.receiver.take({ on: 'heard', body }), [{ do: 'close', why: 'broken' }])
  assert.deepEqual(ends(pair).slice(2), ['broken', 'copy-broken'])
})

test('C6 own values that come back are refused: a mirror is no other device', () => {
  const sender = new Side(own('sender'))
  sender.take({ on: 'admitted', mailbox: MAILBOX })
  const receiver = new Side(own('receiver', { nonce: own('sender').nonce }))
  receiver.take({ on: 'admitted', mailbox: MAILBOX })
  const hello = bodies(receiver.take({ on: 'peerCame' }))[0]!
  sender.take({ on: 'heard', body: hello })
  assert.deepEqual([sender.at, sender.code], ['broken', 'copy-broken'])
  const mirrored = new Pair().meet().carry(1)
  const shareA = mirrored.underWay[0]!.body
  const point = shareA.slice(19, 51)
  const reflected = Uint8Array.from([TYPES.shareB, ...point, ...new Uint8Array(32)])
  mirrored.sender.take({ on: 'heard', body: reflected })
  assert.equal(mirrored.sender.code, 'copy-broken')
})

test('a version that is not ours is named', () => {
  const pair = new Pair().meet()
  pair.carry(1, (body) => changed(body, 2, 9))
  assert.deepEqual(ends(pair).slice(0, 2), ['broken', 'copy-version'])
  const other = new Pair().meet()
  other.carry(2, (body, from) => (from === 'sender' ? changed(body, 1, 9) : body))
  assert.deepEqual(ends(other).slice(2), ['broken', 'copy-version'])
})

test('C7 any octet changed on the way, in any message, ends the run on the side that hears it', () => {
  for (const message of [0, 1, 2, 3]) {
    const length = (() => {
      const honest = new Pair().meet().carry(message)
      return honest.underWay[0]!.body.length
    })()
    for (let at = 0; at < length; at += 5) {
      const pair = new Pair().meet().carry(message)
      pair.carry(1, (body) => changed(body, at, body[at]! ^ 1))
      pair.carry()
      const codes = [pair.sender.at, pair.receiver.at]
      assert.ok(codes.includes('broken') || codes.includes('wrongCode'), `${message} ${at} ${codes}`)
      assert.deepEqual(pair.sender.take({ on: 'agreed', payload: PAYLOAD }).length > 0, pair.sender.at === 'sending')
      pair.carry()
      assert.deepEqual([...pair.receiver.did('deliver')], [])
    }
  }
})

test('C10 nothing sealed is taken before the sender’s tag', () => {
  const pair = new Pair().meet().carry(3)
  const other = keyed()
  other.take('sender', { on: 'agreed', payload: PAYLOAD })
  pair.receiver.take({ on: 'heard', body: other.underWay[0]!.body })
  assert.deepEqual(ends(pair).slice(2), ['broken', 'copy-broken'])
  assert.deepEqual(pair.receiver.did('deliver'), [])
})

test('C10 a sender that nobody told to send sends nothing', () => {
  const pair = keyed()
  assert.equal(pair.sender.did('send').length, 2)
  assert.deepEqual(pair.receiver.take({ on: 'agreed', payload: PAYLOAD }), [])
  assert.throws(() => pair.sender.take({ on: 'agreed', payload: { ...PAYLOAD, keyFile: new Uint8Array(8193) } }), RangeError)
  assert.equal(pair.sender.at, 'keyConfirmed')
})

function delivered(): Pair {
  const pair = keyed()
  pair.take('sender', { on: 'agreed', payload: PAYLOAD })
  return pair.carry()
}

test('C13 only the hash of what was read back makes a success', () => {
  const pair = delivered()
  pair.take('receiver', { on: 'stored', digest: new Uint8Array(32) })
  pair.carry()
  assert.deepEqual(ends(pair), ['declined', 'cannot-keep', 'declined', 'cannot-keep'])
  for (const why of WHYS) {
    const left = delivered()
    left.take('sender', { on: 'closed', why })
    assert.notEqual(left.sender.at, 'acknowledged')
    assert.equal(left.sender.code, 'copy-unconfirmed')
  }
})

test('C13 when the word of the receiver does not come, the sender says that it does not know', () => {
  const events: readonly Event[] = [{ on: 'linkLost' }, { on: 'timeOver' }, { on: 'left' }, { on: 'closed', why: 'gone' }]
  for (const event of events) {
    const pair = delivered()
    pair.take('sender', event)
    assert.equal(pair.sender.code, 'copy-unconfirmed')
    const early = keyed()
    early.take('sender', event)
    assert.notEqual(early.sender.code, 'copy-unconfirmed')
  }
})

test('C13 also what breaks after the certificate left says that the sender does not know', () => {
  const noises: readonly ((pair: Pair) => Uint8Array)[] = [
    () => Uint8Array.of(1, 2, 3),
    () => new Uint8Array(16_402),
    (pair) => said(pair, INNER.stored, new Uint8Array(32)),
    (pair) => said(pair, INNER.refused, new Uint8Array([0x4e])),
    (pair) => said(pair, INNER.cancelled, new Uint8Array(1)),
    (pair) => said(pair, INNER.asking, new Uint8Array(1)),
  ]
  for (const noise of noises) {
    const pair = delivered()
    const effects = pair.sender.take({ on: 'heard', body: noise(pair) })
    assert.deepEqual([pair.sender.at, pair.sender.code], ['broken', 'copy-unconfirmed'])
    assert.deepEqual(effects, [{ do: 'close', why: 'broken' }])
  }
  // Before that nothing is open.
  const early = keyed()
  early.sender.take({ on: 'heard', body: Uint8Array.of(1) })
  assert.equal(early.sender.code, 'copy-broken')
})

/** What the receiver says under the key, first of all. */
function said(pair: Pair, inner: number, content: Uint8Array): Uint8Array {
  const { state } = pair.sender.end
  assert.ok(state.at === 'sending')
  return seal(state.sealing.toSender, 'receiver to sender', 0, inner, content)
}

test('C10 whoever is in between and knows the number chooses no words: its share is spent before it sees the lot', () => {
  const lot = own('sender').lot
  const pair = new Pair().meet().carry(1)
  const shareA = pair.underWay[0]!.body
  assert.ok(!toHex(shareA).includes(toHex(lot)))
  assert.deepEqual(readShareA(shareA).commitment, commitmentOf(lot))
  pair.carry(1)
  const effects = pair.sender.take({ on: 'heard', body: pair.underWay[0]!.body })
  assert.deepEqual(effects.map((each) => each.do), ['send', 'showWords'])
  const confirm = readConfirm(bodies(effects)[0]!)
  assert.deepEqual(confirm.lot, own('sender').lot)
  // Another sender with the same share and key could not have shown another lot.
  for (const other of [new Uint8Array(16), counted(7)(16), changed(confirm.lot, 15, confirm.lot[15]! ^ 1)]) {
    const held = new Pair().meet().carry(3)
    const done = held.receiver.take({ on: 'heard', body: writeConfirm({ tag: confirm.tag, lot: other }) })
    assert.deepEqual(ends(held).slice(2), ['broken', 'copy-broken'])
    assert.deepEqual(done, [{ do: 'close', why: 'broken' }])
  }
  const wrong = new Pair().meet().carry(3)
  wrong.receiver.take({ on: 'heard', body: writeConfirm({ tag: new Uint8Array(32), lot: confirm.lot }) })
  assert.deepEqual(ends(wrong).slice(2), ['wrongCode', 'copy-wrong-number'])
})

test('a receiver may refuse, with its own code on both screens, and leaves the closing to the sender', () => {
  const pair = delivered()
  pair.take('receiver', { on: 'refused', code: 'bound-to-other' })
  assert.deepEqual(pair.receiver.did('close'), [])
  pair.carry()
  assert.deepEqual(ends(pair), ['declined', 'bound-to-other', 'declined', 'bound-to-other'])
  assert.deepEqual(pair.sender.did('close'), [{ do: 'close', why: 'declined' }])
  assert.throws(() => delivered().receiver.take({ on: 'refused', code: 'No Code' }), RangeError)
})

test('either person may leave at any time; the other side hears it under the key', () => {
  for (const role of ['sender', 'receiver'] as const) {
    for (const pair of [keyed(), delivered()]) {
      pair.take(role, { on: 'left' })
      pair.carry()
      const other = pair.side(role === 'sender' ? 'receiver' : 'sender')
      assert.deepEqual([pair.side(role).at, other.at], ['cancelled', 'cancelled'])
      assert.equal(other.code, 'copy-peer-cancelled')
    }
  }
})

test('a sealed message twice, or the own one back, is refused', () => {
  const pair = keyed()
  pair.take('sender', { on: 'agreed', payload: PAYLOAD })
  const { body } = pair.underWay[0]!
  pair.carry()
  pair.receiver.take({ on: 'heard', body })
  assert.equal(pair.receiver.code, 'copy-broken')
  pair.sender.take({ on: 'heard', body })
  assert.deepEqual([pair.sender.at, pair.sender.code], ['broken', 'copy-unconfirmed'])
})

test('C8 secrets are overwritten as soon as the run does not need them', () => {
  const mine = own('sender', { qr: QR() })
  const pair = new Pair({ ...mine }, { qr: QR() }).meet()
  pair.carry(1)
  assert.ok(mine.qr!.every((octet) => octet === 0))
  assert.ok(mine.scalar.some((octet) => octet !== 0) && mine.lot.some((octet) => octet !== 0))
  pair.carry()
  assert.ok(mine.scalar.every((octet) => octet === 0) && mine.lot.every((octet) => octet === 0))
  const { state } = pair.sender.end
  assert.ok(state.at === 'keyConfirmed')
  const { toReceiver } = state.sealing
  assert.ok(toReceiver.some((octet) => octet !== 0))
  pair.take('sender', { on: 'linkLost' })
  assert.ok(toReceiver.every((octet) => octet === 0))
})

test('every event in every state leads where the table says, and nowhere else; nothing leads out of an end', () => {
  const events: readonly Event[] = [
    { on: 'admitted', mailbox: MAILBOX },
    { on: 'admitted', mailbox: '99999' },
    { on: 'peerCame' },
    ...messages().map((body): Event => ({ on: 'heard', body })),
    { on: 'heard', body: new Uint8Array(0) },
    { on: 'heard', body: Uint8Array.of(TYPES.sealed) },
    { on: 'agreed', payload: PAYLOAD },
    { on: 'asked' },
    { on: 'stored', digest: DIGEST },
    { on: 'stored', digest: new Uint8Array(32) },
    { on: 'refused', code: 'cannot-keep' },
    { on: 'left' },
    ...WHYS.map((why): Event => ({ on: 'closed', why })),
    { on: 'linkLost' },
    { on: 'timeOver' },
  ]
  const walked = new Set<string>()
  for (const [role, state] of states()) {
    for (const event of events) {
      const next = advance(state, event).state
      const known = EDGES[role][state.at][event.on]
      if (known === undefined) assert.equal(next, state)
      else assert.ok(next === state || known.includes(next.at), `${role} ${state.at} ${event.on} ${next.at}`)
      if (known?.includes(next.at)) walked.add(`${role} ${state.at} ${event.on} ${next.at}`)
    }
  }
  const table = (['sender', 'receiver'] as const).flatMap((role) =>
    Object.entries(EDGES[role]).flatMap(([at, known]) =>
      Object.entries(known).flatMap(([on, targets]) => targets!.map((target) => `${role} ${at} ${on} ${target}`)),
    ),
  )
  assert.deepEqual(table.filter((edge) => !walked.has(edge)), [])
})

/** Every message of an honest run, of a cancelled and of a refused one, by the same randomness as `states`. */
function messages(): readonly Uint8Array[] {
  const found: Uint8Array[] = []
  const collect = (pair: Pair): void => {
    for (const side of [pair.sender, pair.receiver]) found.push(...bodies(side.done))
  }
  const honest = delivered()
  honest.take('receiver', { on: 'asked' })
  honest.take('receiver', { on: 'stored', digest: DIGEST })
  collect(honest)
  for (const role of ['sender', 'receiver'] as const) {
    for (const pair of [keyed(), delivered()]) {
      pair.take(role, { on: 'left' })
      collect(pair)
    }
  }
  for (const pair of [keyed(), delivered()]) {
    if (pair.receiver.at === 'keyConfirmed' || pair.receiver.at === 'receiving') {
      pair.take('receiver', { on: 'refused', code: 'cannot-keep' })
    }
    collect(pair)
  }
  // As if the number were another one: both tags are wrong.
  collect(keyed({ digits: '5678902' }))
  const zero = (type: number, length: number): Uint8Array => Uint8Array.from([type, ...new Uint8Array(length - 1)])
  found.push(zero(TYPES.confirm, 49))
  // A payload that is authentic and still none.
  found.push(emptyPayload())
  return found
}

function emptyPayload(): Uint8Array {
  const pair = keyed()
  const { state } = pair.sender.end
  assert.ok(state.at === 'keyConfirmed')
  return seal(state.sealing.toReceiver, 'sender to receiver', 0, INNER.payload, new Uint8Array(0))
}

/** Every state that a run walks through, by role. */
function states(): readonly (readonly [Role, State])[] {
  const found: [Role, State][] = []
  const look = (pair: Pair): void => {
    for (const role of ['sender', 'receiver'] as const) found.push([role, structuredClone(pair.side(role).end.state)])
  }
  for (const by of [{}, { qr: QR() }]) {
    const pairs = [new Pair(by, by), new Pair({ ...by, opened: true, qr: QR() }, { ...by, opened: false, qr: QR() })]
    for (const pair of pairs) {
      look(pair)
      for (const role of ['sender', 'receiver'] as const) pair.take(role, { on: 'admitted', mailbox: MAILBOX })
      look(pair)
    }
  }
  for (let count = 0; count <= 4; count++) look(new Pair().meet().carry(count))
  const pair = delivered()
  look(pair)
  pair.take('receiver', { on: 'asked' })
  look(pair.carry())
  pair.take('receiver', { on: 'stored', digest: DIGEST })
  look(pair.carry())
  return found
}
