/** The link to the relay: once and in order over drops, resumes and both kinds of connection (security C8, C12). */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ChannelBroken } from '../../src/pure/channel/lv.ts'
import { type Act, readPost, readTold, writeAct, writePost } from '../../src/pure/channel/wire.ts'
import { type First, RelayLink } from '../../src/vault/relay_link.ts'
import { json } from '../pure/vectors.ts'
import { ENDS, RELAY, settle, Stream, TOKEN, World } from './relay_doubles.ts'

const OPEN: First = { act: 'open', ticket: 'a.b' }
const JOIN: First = { act: 'join', ticket: 'a.b' }
const ENDS_MS = Date.parse(ENDS)

function begun(first: First = JOIN): { world: World; link: RelayLink } {
  const world = new World()
  return { world, link: new RelayLink(RELAY, first, world.tell, world.by) }
}

/** Joined over a WebSocket. */
function joined(): { world: World; link: RelayLink } {
  const made = begun()
  made.world.socket.open().tells({ told: 'joined', token: TOKEN, ends: ENDS })
  return made
}

function names(world: World): readonly string[] {
  return world.told.map(({ told }) => told)
}

function heard(world: World): readonly (readonly number[])[] {
  return world.told.flatMap((each) => (each.told === 'heard' ? [[...each.body]] : []))
}

interface Wire {
  readonly wire: {
    readonly acts: readonly Act[]
    readonly told: readonly { readonly told: string }[]
    readonly told_refused: readonly string[]
  }
}

test('the relay’s words are read as in Python, and everything else is refused', () => {
  const { wire } = json<Wire>('copying/run.json')
  for (const told of wire.told) assert.equal(readTold(JSON.stringify(told)).told, told.told)
  for (const act of wire.acts) assert.deepEqual(JSON.parse(writeAct(act)), act)
  const { length } = wire.told_refused
  assert.ok(length > 5)
  for (const text of wire.told_refused) assert.throws(() => readTold(text), ChannelBroken, text)
  for (const text of ['', '[]', 'null', '{', `{"told":"peer"${' '.repeat(4096)}}`]) assert.throws(() => readTold(text), ChannelBroken)
  assert.deepEqual(readPost(writePost(7, Uint8Array.of(1))), { sequence: 7, body: Uint8Array.of(1) })
  for (const size of [0, 4, 16_407]) assert.throws(() => readPost(new Uint8Array(size)), ChannelBroken)
})

test('C12 the ticket stands in the first frame, and no address holds anything', () => {
  const { world } = begun(OPEN)
  const { socket } = world
  assert.deepEqual([socket.address, socket.wanted], ['ws://localhost:8705/copy', 'ingam-copy.1'])
  assert.deepEqual(socket.said, [])
  socket.open()
  assert.deepEqual(socket.acts, [OPEN])
  socket.tells({ told: 'opened', mailbox: '41234', token: TOKEN, ends: ENDS }).tells({ told: 'peer', ends: ENDS })
  assert.deepEqual(world.told, [
    { told: 'opened', mailbox: '41234', ends: ENDS_MS },
    { told: 'peer', ends: ENDS_MS },
  ])
})

test('what is sent before the relay answers goes out behind the first frame, in order', () => {
  const { world, link } = begun()
  link.send(Uint8Array.of(1))
  world.socket.open()
  link.send(Uint8Array.of(2))
  assert.deepEqual(world.socket.posts, [])
  world.socket.tells({ told: 'joined', token: TOKEN, ends: ENDS })
  link.send(Uint8Array.of(3))
  assert.deepEqual(world.socket.posts, [[0, 1], [1, 2], [2, 3]])
})

test('C8 after a drop the same bytes go again, and only those that the relay does not have', () => {
  const { world, link } = joined()
  for (const octet of [1, 2, 3]) link.send(Uint8Array.of(octet))
  world.socket.carries(0, 9).drops()
  link.send(Uint8Array.of(4))
  assert.deepEqual(names(world), ['joined', 'heard', 'dropped'])
  world.pass(250)
  world.socket.open()
  assert.deepEqual(world.socket.acts, [{ act: 'resume', token: TOKEN, got: 1 }])
  world.socket.tells({ told: 'resumed', have: 1, ends: ENDS })
  assert.deepEqual(world.socket.posts, [[1, 2], [2, 3], [3, 4]])
  assert.equal(world.sockets.length, 2)
})

test('messages are told once and in order, whatever is repeated', () => {
  const { world } = joined()
  world.socket.carries(0, 7).carries(0, 7).carries(1, 8).drops()
  world.pass(250)
  world.socket.open().tells({ told: 'resumed', have: 0, ends: ENDS }).carries(1, 8).carries(2, 9)
  assert.deepEqual(heard(world), [[7], [8], [9]])
})

test('a gap, a word that there is not, or more than was sent ends it as broken', () => {
  const acts: readonly ((world: World) => void)[] = [
    ({ socket }) => void socket.carries(1, 7),
    ({ socket }) => socket.garbles('{'),
    ({ socket }) => socket.garbles('{"told":"joined"}'),
    ({ socket }) => void socket.tells({ told: 'joined', token: TOKEN, ends: ENDS }),
    ({ socket }) => void socket.tells({ told: 'resumed', have: 0, ends: ENDS }),
    ({ socket }) => void socket.carries(0),
    (world) => {
      world.socket.drops()
      world.pass(250)
      world.socket.open().tells({ told: 'resumed', have: 1, ends: ENDS })
    },
  ]
  for (const act of acts) {
    const { world } = joined()
    act(world)
    assert.deepEqual(world.told.at(-1), { told: 'closed', why: 'broken' })
    assert.equal(world.waiting, 0)
  }
})

test('a ninth message of the other side is none', () => {
  const { world } = joined()
  for (let sequence = 0; sequence < 9; sequence++) world.socket.carries(sequence, 1)
  assert.equal(heard(world).length, 8)
  assert.deepEqual(world.told.at(-1), { told: 'closed', why: 'broken' })
})

test('whoever was away when the other came learns it on the way back, or by its first message, once', () => {
  const { world } = begun(OPEN)
  world.socket.open().tells({ told: 'opened', mailbox: '41234', token: TOKEN, ends: ENDS }).drops()
  world.pass(250)
  world.socket.open().tells({ told: 'resumed', have: 0, ends: ENDS }).carries(0, 1).tells({ told: 'peer', ends: ENDS })
  assert.deepEqual(names(world), ['opened', 'dropped', 'resumed', 'peer', 'heard'])
})

test('after thirty seconds without the relay it is lost', async () => {
  const { world } = joined()
  world.socket.drops()
  for (let ms = 0; ms < 29_500; ms += 500) {
    world.pass(500)
    await settle()
  }
  assert.deepEqual(names(world), ['joined', 'dropped'])
  assert.ok(world.sockets.length > 2)
  assert.ok(world.asked.length > 0)
  world.pass(500)
  await settle()
  assert.deepEqual(names(world), ['joined', 'dropped', 'lost'])
  assert.equal(world.waiting, 0)
})

test('a relay that cannot be reached at all is lost after thirty seconds, too', () => {
  const { world } = begun()
  world.pass(30_000)
  assert.deepEqual(names(world), ['lost'])
  assert.equal(world.waiting, 0)
})

test('when a network comes back nobody waits for the next try', () => {
  const { world } = joined()
  world.socket.drops()
  world.networkComesBack()
  assert.equal(world.sockets.length, 2)
  world.pass(250)
  assert.equal(world.sockets.length, 2)
  world.networkComesBack()
  assert.equal(world.sockets.length, 2)
})

test('a refusal ends it with its code; a run that the relay no longer knows is lost', () => {
  const first = begun()
  first.world.socket.open().tells({ told: 'refused', code: 'copy-too-many', s: 42 })
  assert.deepEqual(first.world.told, [{ told: 'refused', code: 'copy-too-many', s: 42 }])
  const { world } = joined()
  world.socket.drops()
  world.pass(250)
  world.socket.open().tells({ told: 'refused', code: 'resume-unknown' })
  assert.deepEqual(names(world), ['joined', 'dropped', 'lost'])
})

test('a relay that stops, or has lost its store, is asked again while a run may be taken up elsewhere', () => {
  const { world } = joined()
  world.socket.drops()
  world.pass(250)
  world.socket.open().tells({ told: 'refused', code: 'relay-stopping' })
  world.pass(500)
  world.socket.open().tells({ told: 'refused', code: 'relay-outage' })
  world.pass(4_000)
  world.socket.open().tells({ told: 'resumed', have: 0, ends: ENDS })
  assert.deepEqual(names(world), ['joined', 'dropped', 'resumed'])
})

test('the other side’s connection is told apart from our own', () => {
  const { world } = joined()
  world.socket.tells({ told: 'away' }).tells({ told: 'back' })
  assert.deepEqual(names(world), ['joined', 'away', 'back'])
})

test('it closes behind everything that was sent, also after a drop, and ends when the relay says so', () => {
  const { world, link } = joined()
  link.send(Uint8Array.of(1))
  world.socket.drops()
  link.close('done')
  link.close('cancelled')
  world.pass(250)
  world.socket.open().tells({ told: 'resumed', have: 0, ends: ENDS })
  const [resume, close] = world.socket.acts
  assert.deepEqual([resume?.act, close], ['resume', { act: 'close', why: 'done' }])
  assert.equal(typeof world.socket.said[1], 'object')
  world.socket.tells({ told: 'closed', why: 'done' })
  assert.deepEqual(world.told.at(-1), { told: 'closed', why: 'done' })
  assert.equal(world.waiting, 0)
})

test('a relay that does not answer a close is left after five seconds', () => {
  const { world, link } = joined()
  link.close('cancelled')
  world.pass(5_000)
  assert.ok(world.socket.closed)
  assert.deepEqual(names(world), ['joined'])
  assert.equal(world.waiting, 0)
})

test('once ended, nothing is told or sent', () => {
  const { world, link } = joined()
  link.end()
  world.socket.tells({ told: 'away' }).carries(0, 1).drops()
  link.send(Uint8Array.of(1))
  link.close('done')
  world.pass(60_000)
  assert.deepEqual([names(world), world.socket.posts, world.sockets.length], [['joined'], [], 1])
})

test('where no WebSocket opens in time, or none is let through, requests take its place', async () => {
  for (const refused of [true, false]) {
    const { world } = begun()
    if (refused) world.socket.drops()
    else world.pass(4_000)
    world.pass(0)
    assert.equal(world.request.path, 'begin')
    assert.deepEqual(world.request.fields, JOIN)
    world.request.answers({ told: 'joined', token: TOKEN, ends: ENDS })
    await settle()
    assert.deepEqual([world.request.path, world.request.fields], ['events', { token: TOKEN, got: 0 }])
    assert.deepEqual(names(world), ['joined'])
  }
})

test('a WebSocket that opens and stays silent, or speaks another protocol, is left', () => {
  const silent = begun().world
  silent.socket.open()
  silent.pass(5_000)
  assert.equal(silent.request.path, 'begin')
  const other = begun().world
  other.socket.open('')
  other.pass(0)
  assert.equal(other.request.path, 'begin')
})

/** Joined by requests, with its stream of events. */
async function byRequests(): Promise<{ world: World; link: RelayLink; stream: Stream }> {
  const { world, link } = begun()
  world.socket.drops()
  world.pass(0)
  world.request.answers({ told: 'joined', token: TOKEN, ends: ENDS })
  await settle()
  const stream = new Stream()
  world.request.answers(stream)
  await settle()
  return { world, link, stream }
}

test('by requests, too, everything comes and goes in order', async () => {
  const { world, link, stream } = await byRequests()
  stream.writes(': here\n\n')
  stream.carries(0, 7)
  stream.writes('event: told\r\nda')
  await settle()
  stream.writes('ta: {"told":"away"}\r\n\r\n')
  await settle()
  assert.deepEqual([names(world), heard(world)], [['joined', 'heard', 'away'], [[7]]])
  link.send(Uint8Array.of(1))
  link.send(Uint8Array.of(2))
  link.close('done')
  await settle()
  assert.deepEqual(world.request.fields, { token: TOKEN, seq: 0, body: 'AQ==' })
  world.request.answers('')
  await settle()
  assert.deepEqual(world.request.fields, { token: TOKEN, seq: 1, body: 'Ag==' })
  world.request.answers('')
  await settle()
  assert.deepEqual([world.request.path, world.request.fields], ['close', { token: TOKEN, why: 'done' }])
  world.request.answers('')
  stream.tells({ told: 'closed', why: 'done' })
  await settle()
  assert.deepEqual(world.told.at(-1), { told: 'closed', why: 'done' })
  assert.equal(world.waiting, 0)
})

test('C12 requests carry no cookie, no referrer and nothing in their address', async () => {
  const { world } = await byRequests()
  for (const { path, init } of world.asked) {
    assert.match(path, /^(begin|events)$/)
    assert.deepEqual([init.method, init.credentials, init.referrerPolicy, init.redirect], ['POST', 'omit', 'no-referrer', 'error'])
    assert.equal(init.headers, undefined)
  }
})

test('a stream that drops, falls silent, or a request that fails is taken up again by its token', async () => {
  const acts: readonly ((world: World, link: RelayLink, stream: Stream) => Promise<void>)[] = [
    async (_, __, stream) => stream.drops(),
    async (world) => world.pass(25_000),
    async (world, link) => {
      link.send(Uint8Array.of(1))
      await settle()
      world.request.fails()
    },
    async (world, link) => {
      link.send(Uint8Array.of(1))
      await settle()
      world.request.answers('', 503)
    },
  ]
  for (const act of acts) {
    const { world, link, stream } = await byRequests()
    stream.carries(0, 7)
    await settle()
    await act(world, link, stream)
    await settle()
    assert.deepEqual(names(world), ['joined', 'heard', 'dropped'])
    world.pass(250)
    assert.deepEqual([world.request.path, world.request.fields], ['begin', { act: 'resume', token: TOKEN, got: 1 }])
    world.request.answers({ told: 'resumed', have: 0, ends: ENDS })
    await settle()
    const events = world.asked.find(({ path, fields }) => path === 'events' && fields['got'] === 1)
    assert.ok(events)
    assert.equal(names(world).at(-1), 'resumed')
  }
})

test('a page of a proxy in the place of the relay is no word of it', async () => {
  const { world } = begun()
  world.socket.drops()
  world.pass(0)
  world.request.answers('<html>Please log in</html>')
  await settle()
  assert.deepEqual(names(world), [])
  world.pass(500)
  world.socket.open().tells({ told: 'joined', token: TOKEN, ends: ENDS })
  assert.deepEqual(names(world), ['joined'])
})

test('a ticket that was used up by a connection without an answer is told as a lost link', async () => {
  const { world } = begun()
  world.socket.open()
  world.pass(5_000)
  world.request.answers({ told: 'refused', code: 'ticket-used' }, 403)
  await settle()
  assert.deepEqual(names(world), ['lost'])
  const fresh = begun()
  fresh.world.socket.open().tells({ told: 'refused', code: 'ticket-used' })
  assert.deepEqual(names(fresh.world), ['refused'])
})

test('a run goes over from one kind of connection to the other', async () => {
  const { world, link } = joined()
  link.send(Uint8Array.of(1))
  world.socket.drops()
  world.pass(250)
  world.socket.drops()
  world.pass(500)
  world.socket.drops()
  world.pass(1_000)
  assert.deepEqual([world.request.path, world.request.fields['act']], ['begin', 'resume'])
  world.request.answers({ told: 'resumed', have: 0, ends: ENDS })
  await settle()
  const sent = world.asked.find(({ path }) => path === 'send')
  assert.deepEqual(sent?.fields, { token: TOKEN, seq: 0, body: 'AQ==' })
})
