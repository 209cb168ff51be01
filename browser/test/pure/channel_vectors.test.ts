/** The copy protocol octet for octet as in Python: `vectors/copying` (security C4–C11). */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { generator, secretPoint, sessionKey, share } from '../../src/pure/channel/cpace.ts'
import { EDGES, Endpoint, type Event, type Own, type Why } from '../../src/pure/channel/endpoint.ts'
import {
  open,
  payloadDigest,
  readConfirm,
  readHello,
  readPayload,
  readShareA,
  readShareB,
  seal,
  writePayload,
} from '../../src/pure/channel/frames.ts'
import { type Mode, qrText, readNumber, readQr, shownNumber } from '../../src/pure/channel/number.ts'
import {
  associatedData,
  channelIdentifier,
  checkWords,
  commitmentOf,
  type Direction,
  keysOf,
  passwordString,
  type Role,
  transcriptHash,
} from '../../src/pure/channel/schedule.ts'
import { fromHex, toHex } from '../../src/pure/octets.ts'
import { codeOf, json, text } from './vectors.ts'

interface Device {
  readonly device: string
  readonly opened: boolean
  readonly qr: string | null
  readonly nonce: string
  readonly scalar: string
  readonly lot: string
}
type Name =
  | 'name' | 'relay' | 'mailbox' | 'secret' | 'certificate' | 'key_file' | 'prs' | 'ci' | 'sid' | 'generator' | 'ya' | 'yb'
  | 'ada' | 'adb' | 'k' | 'isk' | 'th' | 'to_receiver' | 'to_sender' | 'tag_b' | 'tag_a' | 'payload' | 'digest'
  | 'commitment' | 'words_key'
type Run = Readonly<Record<Name, string>> & Readonly<Record<Role, Device>> & {
  readonly mode: Mode
  readonly words: readonly number[]
  readonly messages: readonly { readonly from: Role; readonly body: string }[]
  readonly ends: Readonly<Record<Role, string>>
}
/** A sealed message is told by what it was sealed from: 16 KiB of hex say nothing. */
interface Sealed {
  readonly key: string
  readonly direction: Direction
  readonly sequence: number
  readonly inner: number
  readonly content: string
}
type Told = readonly [string, ...(string | Sealed)[]]
interface Script {
  readonly name: string
  readonly role: Role
  readonly own: Device
  readonly relay: string
  readonly mailbox: string
  readonly secret: string
  readonly events: readonly Told[]
  readonly end: string
  readonly code: string
}
interface Scanned {
  readonly text: string
  readonly mailbox: string
  readonly secret: string
  readonly qr?: string
}
interface Vectors {
  readonly runs: readonly Run[]
  readonly numbers: {
    readonly typed: readonly Scanned[]
    readonly typed_refused: readonly string[]
    readonly shown: Scanned
    readonly scanned: readonly (Scanned & { readonly qr: string })[]
    readonly scanned_refused: readonly string[]
  }
  readonly plain_refused: readonly { readonly message: keyof typeof READERS; readonly name: string; readonly body: string }[]
  readonly payload_refused: readonly { readonly name: string; readonly content: string }[]
  readonly sealed: Sealed & {
    readonly body: string
    readonly refused: readonly { readonly name: string; readonly body: string }[]
  }
  readonly scripts: readonly Script[]
}

const READERS = { hello: readHello, share_a: readShareA, share_b: readShareB, confirm: readConfirm }
const VECTORS = json<Vectors>('copying/run.json')
const NOTHING = new Uint8Array(0)

for (const run of VECTORS.runs) {
  const of = (name: Name): Uint8Array => fromHex(run[name])

  test(`what is computed on the way, octet for octet: ${run.name}`, () => {
    const { sender, receiver, mode } = run
    const qr = mode === 'q' ? fromHex(sender.qr!) : NOTHING
    assert.equal(toHex(passwordString(mode, run.secret, qr)), run.prs)
    assert.equal(toHex(channelIdentifier(run.relay, run.mailbox)), run.ci)
    const base = generator(of('prs'), of('ci'), of('sid'))
    assert.equal(toHex(base), run.generator)
    assert.equal(toHex(share(fromHex(sender.scalar), base)), run.ya)
    assert.equal(toHex(share(fromHex(receiver.scalar), base)), run.yb)
    assert.equal(toHex(associatedData('sender', Uint8Array.of(1), mode, text(sender.device))), run.ada)
    assert.equal(toHex(associatedData('receiver', Uint8Array.of(1), mode, text(receiver.device))), run.adb)
    assert.equal(toHex(secretPoint(fromHex(sender.scalar), of('yb'))), run.k)
    const isk = sessionKey(of('sid'), of('k'), { share: of('ya'), ad: of('ada') }, { share: of('yb'), ad: of('adb') })
    assert.equal(toHex(isk), run.isk)
    const [hello, shareA] = run.messages.map(({ body }) => fromHex(body)) as [Uint8Array, Uint8Array]
    const transcript = transcriptHash(hello, shareA, of('yb'))
    assert.equal(toHex(transcript), run.th)
    const keys = keysOf(isk, transcript)
    const found = [keys.toReceiver, keys.toSender, keys.tagB, keys.tagA].map(toHex)
    assert.deepEqual(found, [run.to_receiver, run.to_sender, run.tag_b, run.tag_a])
    assert.equal(toHex(keys.words), run.words_key)
    assert.equal(toHex(commitmentOf(fromHex(sender.lot))), run.commitment)
    assert.deepEqual(checkWords(keys, fromHex(sender.lot)), run.words)
    const payload = { certificate: of('certificate'), keyFile: of('key_file') }
    assert.equal(toHex(writePayload(payload)), run.payload)
    assert.equal(toHex(payloadDigest(payload)), run.digest)
  })

  test(`both ends say the same as in Python: ${run.name}`, () => {
    for (const role of ['sender', 'receiver'] as const) {
      const end = new Endpoint(ownOf(role, run[role], run), run[role].opened ? null : run.mailbox)
      assert.deepEqual(played(end, role, run), run.messages.filter(({ from }) => from === role).map(({ body }) => body))
      assert.equal(end.state.at, lowered(run.ends[role]))
    }
  })
}

function ownOf(role: Role, device: Device, run: { readonly relay: string; readonly secret: string }): Own {
  return {
    role,
    relay: run.relay,
    device: text(device.device),
    opened: device.opened,
    digits: run.secret,
    qr: device.qr === null ? null : fromHex(device.qr),
    nonce: fromHex(device.nonce),
    scalar: fromHex(device.scalar),
    lot: fromHex(device.lot),
  }
}

/** What a side says when it hears what the other one says in the vector, in that order. */
function played(end: Endpoint, role: Role, run: Run): readonly string[] {
  const said: string[] = []
  const feed = (event: Event): void => {
    for (const effect of end.take(event)) {
      if (effect.do === 'send') said.push(toHex(effect.body))
      if (effect.do === 'showWords') assert.deepEqual(effect.words, run.words)
      if (effect.do === 'deliver') assert.equal(toHex(payloadDigest(effect.payload)), run.digest)
    }
  }
  feed({ on: 'admitted', mailbox: run.mailbox })
  if (run[role].opened) feed({ on: 'peerCame' })
  const payload = { certificate: fromHex(run.certificate), keyFile: fromHex(run.key_file) }
  for (const { from, body } of run.messages) {
    if (from !== role) feed({ on: 'heard', body: fromHex(body) })
    else if (end.state.at === 'keyConfirmed' && role === 'sender' && said.length === 2) feed({ on: 'agreed', payload })
    else if (end.state.at === 'receiving' && said.length === 2) feed({ on: 'asked' })
    else if (end.state.at === 'receiving') feed({ on: 'stored', digest: fromHex(run.digest) })
  }
  return said
}

function lowered(name: string): string {
  return name.charAt(0).toLowerCase() + name.slice(1)
}

test('numbers and QR texts are read and refused alike', async () => {
  const { typed, typed_refused, shown, scanned, scanned_refused } = VECTORS.numbers
  for (const each of typed) {
    const code = readNumber(each.text)
    assert.deepEqual([code.mailbox, code.digits], [each.mailbox, each.secret])
  }
  assert.equal(shownNumber(shown.mailbox, shown.secret), shown.text)
  for (const each of scanned) {
    assert.deepEqual(readQr(each.text), { mode: 'q', mailbox: each.mailbox, digits: each.secret, qr: fromHex(each.qr) })
    assert.equal(qrText(each.mailbox, each.secret, fromHex(each.qr)), each.text)
  }
  for (const other of typed_refused) assert.equal(await codeOf(() => readNumber(other)), 'copy-number-malformed', other)
  for (const other of scanned_refused) assert.equal(await codeOf(() => readQr(other)), 'copy-qr-malformed', other)
})

test('messages are refused alike', async () => {
  assert.ok(VECTORS.plain_refused.length > 30)
  for (const { message, name, body } of VECTORS.plain_refused) {
    assert.equal(await codeOf(() => READERS[message](fromHex(body))), 'copy-broken', `${message} ${name}`)
  }
  for (const { name, content } of VECTORS.payload_refused) {
    assert.equal(await codeOf(() => readPayload(fromHex(content))), 'copy-broken', name)
  }
})

test('C9 sealed messages are made, opened and refused alike', async () => {
  const { key, direction, sequence, inner, content, body, refused } = VECTORS.sealed
  assert.equal(toHex(seal(fromHex(key), direction, sequence, inner, fromHex(content))), body)
  assert.deepEqual(open(fromHex(key), direction, sequence, fromHex(body)), { inner, content: fromHex(content) })
  const taken: string[] = []
  for (const each of refused) {
    const code = await codeOf(() => open(fromHex(key), direction, sequence, fromHex(each.body)))
    if (code !== 'copy-broken') taken.push(each.name)
  }
  assert.deepEqual(taken, [])
})

test('what happens to an end ends it as in Python, with the same code', () => {
  assert.ok(VECTORS.scripts.length > 50)
  const different: unknown[] = []
  for (const script of VECTORS.scripts) {
    const end = new Endpoint(ownOf(script.role, script.own, script), script.own.opened ? null : script.mailbox)
    for (const event of script.events) end.take(eventOf(event))
    const { state } = end
    const code = 'code' in state ? state.code : null
    if (state.at !== lowered(script.end) || code !== script.code) different.push([script.name, state.at, code, script.end, script.code])
  }
  assert.deepEqual(different, [])
})

function eventOf([name, one, other]: Told): Event {
  switch (name) {
    case 'Admitted':
      return { on: 'admitted', mailbox: one as string }
    case 'Heard':
      return { on: 'heard', body: typeof one === 'object' ? sealed(one) : fromHex(one!) }
    case 'Agreed':
      return { on: 'agreed', payload: { certificate: fromHex(one as string), keyFile: fromHex(other as string) } }
    case 'Stored':
      return { on: 'stored', digest: fromHex(one as string) }
    case 'Refused':
      return { on: 'refused', code: one as string }
    case 'Closed':
      return { on: 'closed', why: one as Why }
    default:
      return { on: lowered(name) } as Event
  }
}

function sealed({ key, direction, sequence, inner, content }: Sealed): Uint8Array {
  return seal(fromHex(key), direction, sequence, inner, fromHex(content))
}

test('both tables are the tables of Python', () => {
  const table = json<Readonly<Record<Role, Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>>>>('copying/table.json')
  for (const role of ['sender', 'receiver'] as const) {
    const theirs = Object.entries(table[role]).flatMap(([at, events]) =>
      Object.entries(events).flatMap(([on, targets]) => targets.map((target) => [at, on, target].map(lowered).join(' '))),
    )
    const ours = Object.entries(EDGES[role]).flatMap(([at, events]) =>
      Object.entries(events).flatMap(([on, targets]) => targets!.map((target) => [at, on, target].join(' '))),
    )
    assert.deepEqual(ours.sort(), theirs.sort())
  }
})
