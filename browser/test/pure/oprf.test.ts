/** OPRF by the vectors of RFC 9497 and of our own other half, and the numbers that are no 간편비밀번호 (security B8). */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ed25519, ristretto255_oprf } from '@noble/curves/ed25519.js'
import { blind, finalize } from '../../src/pure/oprf.ts'
import { fromHex, toHex, wipe } from '../../src/pure/octets.ts'
import { pinText, type PinAct, proofText, weakness } from '../../src/pure/pin.ts'
import { codeOf, json } from './vectors.ts'

interface Case {
  readonly input: string
  readonly blind: string
  readonly blinded: string
  readonly evaluated: string
  readonly output: string
}
const RFC = json<{ key: string; cases: readonly Case[] }>('oprf/rfc9497.json')
const OURS = json<{
  runs: readonly (Case & { key: string })[]
  asks: readonly { act: PinAct; origin: string; nonce: string; handle: string | null; body: string; text: string }[]
  proof: { seed: string; public: string; origin: string; handle: string; number: number; text: string; signature: string }
}>('oprf/pin.json')

const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n

/** Randomness that makes this scalar: the library takes bytes to 1 + (n mod (order - 1)), little-endian. */
function making(scalar: string): (count: number) => Uint8Array {
  const wanted = BigInt(`0x${toHex(fromHex(scalar).reverse())}`) - 1n
  assert.ok(wanted < ORDER - 1n)
  return (count) => Uint8Array.from({ length: count }, (_, at) => Number((wanted >> BigInt(8 * at)) & 0xffn))
}

test('B8 every value of RFC 9497, and of the other language, comes out', () => {
  for (const each of [...RFC.cases.map((found) => ({ ...found, key: RFC.key })), ...OURS.runs]) {
    const input = fromHex(each.input)
    const made = blind(input, making(each.blind))
    assert.equal(toHex(made.blind), each.blind)
    assert.equal(toHex(made.element), each.blinded)
    assert.equal(toHex(ristretto255_oprf.oprf.blindEvaluate(fromHex(each.key), made.element)), each.evaluated)
    assert.equal(toHex(finalize(input, made.blind, fromHex(each.evaluated))), each.output)
  }
})

test('B8 the same number is sent as another element each time, and gives the same secret', () => {
  const [key, input] = [fromHex(RFC.key), new TextEncoder().encode('471903')]
  const runs = Array.from({ length: 8 }, () => {
    const made = blind(input)
    return [toHex(made.element), toHex(finalize(input, made.blind, ristretto255_oprf.oprf.blindEvaluate(key, made.element)))] as const
  })
  assert.equal(new Set(runs.map(([element]) => element)).size, 8)
  assert.equal(new Set(runs.map(([, output]) => output)).size, 1)
})

test('what is no element is refused', async () => {
  const { blind: scalar } = blind(new Uint8Array(3))
  for (const element of [new Uint8Array(32), new Uint8Array(32).fill(0xff), new Uint8Array(31)]) {
    assert.equal(await codeOf(async () => finalize(new Uint8Array(3), scalar, element)), 'oprf-element')
  }
})

test('what is signed is byte for byte what the center checks', () => {
  for (const { text, body, ...ask } of OURS.asks) {
    assert.equal(new TextDecoder().decode(pinText({ ...ask, body: fromHex(body) })), text)
  }
  const { seed, origin, handle, number, text, signature, public: key } = OURS.proof
  const signed = proofText(origin, handle, number)
  assert.equal(new TextDecoder().decode(signed), text)
  assert.equal(toHex(ed25519.getPublicKey(fromHex(seed))), key)
  assert.equal(toHex(ed25519.sign(signed, fromHex(seed))), signature)
})

test('nothing leaves its line of what is signed', () => {
  const ask = { act: 'ask', origin: OURS.proof.origin, nonce: 'a'.repeat(64), handle: null, body: new Uint8Array(0) } as const
  for (const wrong of [{ origin: 'http://a\nact: set' }, { nonce: '0' }, { handle: 'a\n' }, { origin: '' }]) {
    assert.throws(() => pinText({ ...ask, ...wrong }), RangeError)
  }
  assert.throws(() => proofText(ask.origin, 'x', 1), RangeError)
  assert.throws(() => proofText(ask.origin, 'a'.repeat(32), 1.5), RangeError)
})

test('B8 what thieves try first is no PIN: one digit, a row, a repetition, a date of anybody', () => {
  const refused: Record<string, readonly string[]> = {
    'pin-digits': ['', '12345', '1234567', '12345a', '１２３４５６', ' 23456'],
    'pin-same': ['000000', '999999'],
    'pin-sequence': ['123456', '012345', '654321', '890123', '210987'],
    'pin-repeated': ['121212', '123123', '112233', '123321', '100001', '474747', '111222'],
    'pin-date': ['900101', '850229', '001231', '260606'],
  }
  for (const [code, pins] of Object.entries(refused)) for (const pin of pins) assert.equal(weakness(pin), code, pin)
  for (const pin of ['471903', '208864', '135790', '901301', '900132', '004523']) assert.equal(weakness(pin), null, pin)
})

test('B8 some 958,000 of a million numbers are left: five tries find one in 190,000 times', () => {
  let [looked, left] = [0, 0]
  for (let number = 0; number < 1_000_000; number += 13) {
    looked += 1
    if (weakness(String(number).padStart(6, '0')) === null) left += 1
  }
  assert.ok(left / looked > 0.94 && left / looked < 0.97, String(left / looked))
})

test('B11 what moved to a worker is overwritten there, and to overwrite it here is no failure', () => {
  const [mine, moved] = [new Uint8Array([1, 2]), new Uint8Array([3, 4])]
  structuredClone(moved.buffer, { transfer: [moved.buffer] })
  wipe(moved, mine)
  assert.deepEqual([...mine, moved.byteLength], [0, 0, 0])
})
