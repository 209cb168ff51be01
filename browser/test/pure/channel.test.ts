/** The copy protocol of the browser: numbers, CPace, frames, both ends (security C4–C11, C13). */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { generator, generatorString, scalarOf, secretPoint, sessionKey, share } from '../../src/pure/channel/cpace.ts'
import {
  canCarry,
  type Hello,
  INNER,
  isCode,
  open,
  type Payload,
  payloadDigest,
  readConfirm,
  readHello,
  readPayload,
  readShareA,
  seal,
  SEALED,
  writeConfirm,
  writeHello,
  writePayload,
  writeShareA,
} from '../../src/pure/channel/frames.ts'
import { lv, lvCat, Reader } from '../../src/pure/channel/lv.ts'
import { newDigits, qrText, readNumber, readQr, shownNumber } from '../../src/pure/channel/number.ts'
import { associatedData, channelIdentifier, passwordString, wordsOf } from '../../src/pure/channel/schedule.ts'
import { fromHex, join, toHex } from '../../src/pure/octets.ts'
import { codeOf, counted, json, text } from './vectors.ts'

interface CpaceVectors {
  readonly cpace: Readonly<Record<string, string>>
  readonly valid: Readonly<Record<'s' | 'X' | 'product', string>>
  readonly invalid: readonly string[]
  readonly ristretto255: { readonly invalid: Readonly<Record<string, readonly string[]>> }
}

const VECTORS = json<CpaceVectors>('copying/cpace.json')
const SECRET = text('sixteen octets!!')

function draft(name: string): Uint8Array {
  return fromHex(VECTORS.cpace[name]!)
}

test('the draft’s vectors come out octet for octet, on both sides', () => {
  const [prs, ci, sid] = [draft('PRS'), draft('CI'), draft('sid')]
  assert.equal(toHex(generatorString(prs, ci, sid)), VECTORS.cpace['generator_string'])
  const base = generator(prs, ci, sid)
  assert.deepEqual(base, draft('g'))
  assert.deepEqual(share(draft('ya'), base), draft('Ya'))
  assert.deepEqual(share(draft('yb'), base), draft('Yb'))
  const a = { share: draft('Ya'), ad: draft('ADa') }
  const b = { share: draft('Yb'), ad: draft('ADb') }
  for (const k of [secretPoint(draft('ya'), draft('Yb')), secretPoint(draft('yb'), draft('Ya'))]) {
    assert.deepEqual(k, draft('K'))
    assert.deepEqual(sessionKey(sid, k, a, b), draft('ISK_IR'))
    assert.ok(k.every((octet) => octet === 0))
  }
  const { s, X, product } = VECTORS.valid
  assert.equal(toHex(secretPoint(fromHex(s), fromHex(X))), product)
})

test('C6 points that are neutral, not canonical or not of the group are refused', async () => {
  const points = [...VECTORS.invalid, ...Object.values(VECTORS.ristretto255.invalid).flat()]
  assert.ok(points.length > 20)
  for (const point of points) {
    assert.equal(await codeOf(() => secretPoint(draft('ya'), fromHex(point))), 'copy-broken', point)
  }
  for (const length of [0, 31, 33]) {
    assert.equal(await codeOf(() => secretPoint(draft('ya'), new Uint8Array(length))), 'copy-broken')
  }
})

test('a scalar is 252 of the random bits', () => {
  assert.equal(toHex(scalarOf(new Uint8Array(32).fill(255))), `${'ff'.repeat(31)}0f`)
  assert.throws(() => scalarOf(new Uint8Array(31)), RangeError)
})

test('C6 what goes into CPace names mode, digits, QR, roles, relay, mailbox, versions and devices', () => {
  const parts = (bytes: Uint8Array): readonly string[] => {
    const reader = new Reader(bytes)
    const found: string[] = []
    for (;;) {
      try {
        found.push(new TextDecoder().decode(reader.lv(0, 200)))
      } catch {
        return found
      }
    }
  }
  assert.deepEqual(parts(passwordString('q', '5678901', SECRET)), ['ingam-copy/1', 'q', '5678901', 'sixteen octets!!'])
  assert.deepEqual(parts(passwordString('n', '5678901', new Uint8Array(0))), ['ingam-copy/1', 'n', '5678901', ''])
  assert.deepEqual(parts(channelIdentifier('https://relay.example', '41234')), [
    'sender',
    'receiver',
    'https://relay.example',
    '41234',
  ])
  assert.deepEqual(parts(associatedData('sender', Uint8Array.of(1), 'n', text('PC'))), ['sender', '\x01', 'n', 'PC'])
})

test('lengths are LEB128 in their shortest form', async () => {
  assert.equal(toHex(lv(new Uint8Array(127))).slice(0, 2), '7f')
  assert.equal(toHex(lv(new Uint8Array(128))).slice(0, 4), '8001')
  assert.equal(toHex(lv(new Uint8Array(16_384))).slice(0, 6), '808001')
  assert.equal(toHex(lvCat()), '')
  const read = (hex: string): Promise<string> => codeOf(() => new Reader(fromHex(hex)).lv(0, 9000))
  assert.equal(await read('8000'), 'copy-broken')
  assert.equal(await read('808001'), 'copy-broken')
  assert.equal(await read('02aa'), 'copy-broken')
  assert.equal(await read('80'), 'copy-broken')
  assert.equal(await read('02aabb'), 'done')
})

test('C4 a number is twelve digits however it is grouped, and nothing else', async () => {
  for (const typed of ['412345678901', '4123 4567 8901', '4123-4567-8901', ' 41234 5678901 ']) {
    const { mode, mailbox, digits, qr } = readNumber(typed)
    assert.deepEqual([mode, mailbox, digits, qr.length], ['n', '41234', '5678901', 0])
  }
  for (const typed of ['', '41234567890', '4123456789012', '41234567890a', '４１２３４５６７８９０１', '4123\t45678901', '٤١٢٣٤٥٦٧٨٩٠١']) {
    assert.equal(await codeOf(() => readNumber(typed)), 'copy-number-malformed', typed)
  }
  assert.equal(shownNumber('41234', '5678901'), '4123 4567 8901')
})

test('C4 secret digits are drawn without a bias: what would be one is drawn again', () => {
  const drawn = [fromHex('ffffffff'), fromHex('ffb43480'), fromHex('ffb4347f')]
  assert.equal(newDigits(() => drawn.shift()!), '9999999')
  assert.equal(drawn.length, 0)
  assert.equal(newDigits(() => fromHex('00000007')), '0000007')
})

test('C5 the text of a QR is 45 characters, no address, and reads back only as it was written', async () => {
  const shown = qrText('41234', '5678901', SECRET)
  assert.match(shown, /^INGAM1:412345678901[A-Z2-7]{26}$/)
  assert.deepEqual(readQr(shown), { mode: 'q', mailbox: '41234', digits: '5678901', qr: SECRET })
  const others = [
    shown.toLowerCase(),
    `${shown}=`,
    ` ${shown}`,
    `${shown}\n`,
    shown.slice(0, -1),
    `https://ingam.example/${shown}`,
    shown.replace('INGAM1', 'INGAM2'),
    `${shown.slice(0, -1)}${String.fromCharCode(shown.charCodeAt(44) + 1)}`,
    '412345678901',
  ]
  for (const other of others) assert.equal(await codeOf(() => readQr(other)), 'copy-qr-malformed', other)
  assert.throws(() => qrText('41234', '5678901', new Uint8Array(15)), RangeError)
  assert.throws(() => qrText('4123', '5678901', SECRET), RangeError)
})

test('every 16 bytes come through a QR', () => {
  for (let seed = 0; seed < 256; seed += 5) {
    const qr = Uint8Array.from(counted(seed)(16), (octet) => (octet * 37) & 0xff)
    assert.deepEqual(readQr(qrText('00000', '0000000', qr)).qr, qr)
  }
})

const HELLO: Hello = { versions: Uint8Array.of(1), nonce: SECRET, device: text('휴대폰') }
const COMMITTED = new Uint8Array(32).fill(8)
const POINT = new Uint8Array(32).fill(7)
const SHARE = { version: 1, mode: 'n', nonce: SECRET, point: POINT, commitment: COMMITTED, device: text('PC') } as const
const CONFIRM = { tag: new Uint8Array(32).fill(4), lot: SECRET }

test('plain messages are read to their last octet, and to no other length', async () => {
  const whole = [writeHello(HELLO), writeShareA(SHARE), writeConfirm(CONFIRM)] as const
  assert.deepEqual([readHello(whole[0]), readShareA(whole[1]), readConfirm(whole[2])], [HELLO, SHARE, CONFIRM])
  for (const [read, body] of [[readHello, whole[0]], [readShareA, whole[1]], [readConfirm, whole[2]]] as const) {
    for (let length = 0; length < body.length; length++) {
      assert.equal(await codeOf(() => read(body.subarray(0, length))), 'copy-broken')
    }
    assert.equal(await codeOf(() => read(join(body, Uint8Array.of(0)))), 'copy-broken')
  }
})

test('plain messages hold what they may and nothing else', async () => {
  const hello = (over: Partial<Hello>): Promise<string> => codeOf(() => readHello(writeHello({ ...HELLO, ...over })))
  assert.equal(await hello({ versions: Uint8Array.of(1, 2, 9) }), 'done')
  assert.equal(await hello({ versions: new Uint8Array(0) }), 'copy-broken')
  assert.equal(await hello({ versions: Uint8Array.of(2, 1) }), 'copy-broken')
  assert.equal(await hello({ versions: Uint8Array.of(1, 1) }), 'copy-broken')
  assert.equal(await hello({ versions: counted(1)(9) }), 'copy-broken')
  assert.equal(await hello({ device: new Uint8Array(0) }), 'copy-broken')
  assert.equal(await hello({ device: text('x'.repeat(121)) }), 'copy-broken')
  assert.equal(await hello({ device: text('a\u202eb') }), 'copy-broken')
  assert.equal(await hello({ device: text('a\nb') }), 'copy-broken')
  assert.equal(await hello({ device: Uint8Array.of(0xc3) }), 'copy-broken')
  const odd = writeShareA(SHARE)
  odd[2] = 'x'.charCodeAt(0)
  assert.equal(await codeOf(() => readShareA(odd)), 'copy-broken')
})

test('C9 every sealed message has one size, whatever it holds', async () => {
  const key = new Uint8Array(32).fill(3)
  for (const content of [new Uint8Array(0), text('x'), new Uint8Array(16_382)]) {
    const body = seal(key, 'sender to receiver', 0, INNER.payload, content)
    assert.equal(body.length, SEALED)
    assert.deepEqual(open(key, 'sender to receiver', 0, body), { inner: INNER.payload, content })
  }
  assert.throws(() => seal(key, 'sender to receiver', 0, INNER.payload, new Uint8Array(16_383)), RangeError)
})

test('C9 another direction, sequence, type, key or a single changed bit does not open', async () => {
  const key = new Uint8Array(32).fill(3)
  const body = seal(key, 'sender to receiver', 1, INNER.payload, text('x'))
  const opens = (change: (copy: Uint8Array) => void, at = 1, direction = 'sender to receiver' as const, by = key): Promise<string> => {
    const changed = Uint8Array.from(body)
    change(changed)
    return codeOf(() => open(by, direction, at, changed))
  }
  assert.equal(await opens(() => undefined), 'done')
  assert.equal(await opens(() => undefined, 0), 'copy-broken')
  assert.equal(await opens(() => undefined, 1, 'receiver to sender' as never), 'copy-broken')
  assert.equal(await opens(() => undefined, 1, 'sender to receiver', new Uint8Array(32)), 'copy-broken')
  for (const at of [0, 1, 2, 9000, SEALED - 1]) {
    assert.equal(await opens((copy) => void (copy[at]! ^= 1)), 'copy-broken')
  }
  assert.equal(await codeOf(() => open(key, 'sender to receiver', 1, body.subarray(0, -1))), 'copy-broken')
})

test('C11 a payload is both files unchanged, within their bounds', async () => {
  const of = (certificate: number, keyFile: number): Payload => ({
    certificate: new Uint8Array(certificate).fill(1),
    keyFile: new Uint8Array(keyFile).fill(2),
  })
  for (const payload of [of(1, 1), of(127, 128), of(6144, 8192)]) {
    assert.deepEqual(readPayload(writePayload(payload)), payload)
    assert.equal(await codeOf(() => readPayload(join(writePayload(payload), Uint8Array.of(0)))), 'copy-broken')
  }
  for (const payload of [of(0, 1), of(1, 0), of(6145, 1), of(1, 8193)]) {
    assert.equal(canCarry(payload), false)
    assert.throws(() => writePayload(payload), RangeError)
    assert.equal(await codeOf(() => readPayload(lvCat(payload.certificate, payload.keyFile))), 'copy-broken')
  }
  assert.notDeepEqual(payloadDigest(of(1, 2)), payloadDigest(of(2, 1)))
})

test('codes of a refusal are short kebab-case', () => {
  assert.ok(isCode('bound-to-other') && isCode('x'.repeat(64)))
  for (const other of ['', 'X', 'a b', 'x'.repeat(65), 'a\n']) assert.ok(!isCode(other))
})

test('C10 two check words are the first twenty bits', () => {
  const words = (hex: string): readonly number[] => wordsOf(fromHex(hex))
  assert.deepEqual(words('00000fff'), [0, 0])
  assert.deepEqual(words('fffff000'), [1023, 1023])
  assert.deepEqual(words('00400100'), [1, 0])
  assert.deepEqual(words('003ff000'), [0, 1023])
})
