/** The keypad's layouts, its sealing, and the field that shows dots; the vectors are Python's. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AEAD_AES_256_GCM, CipherSuite, KDF_HKDF_SHA256, KEM_DHKEM_P256_HKDF_SHA256 } from 'hpke'
import { keysOf, type Layout, localLayout, type LocalKey, type ServerKey } from '../../src/pure/keypad/layout.ts'
import { DOT, dots, followed } from '../../src/pure/keypad/masked.ts'
import { packed, PLAIN, sealInfo, sealTyped, type Typed, type Where } from '../../src/pure/keypad/sealing.ts'
import { fromHex, toHex } from '../../src/pure/octets.ts'
import { randomBytes } from '../../src/pure/platform.ts'
import { json } from './vectors.ts'

interface LayoutVector {
  readonly kind: 'digits' | 'text'
  readonly random: string
  readonly pages: Record<string, ([string, string] | null)[][]>
  readonly space: [string, string] | null
}

interface SealVector {
  readonly private: string
  readonly public: string
  readonly where: Where
  readonly info: string
  readonly items: Typed[]
  readonly plain: string
  readonly blob: string
}

const SEALED = json<SealVector>('keypad/sealed.json')
const SUITE = new CipherSuite(KEM_DHKEM_P256_HKDF_SHA256, KDF_HKDF_SHA256, AEAD_AES_256_GCM)

/** Gives out the bytes of a stream in their order. */
function stream(bytes: Uint8Array): (count: number) => Uint8Array {
  let at = 0
  return (count) => bytes.slice(at, (at += count))
}

/** A layout as the vectors write it. */
function written({ pages, space }: Layout<string>): unknown {
  const key = (one: { id: string; glyph: string } | null): unknown => (one === null ? null : [one.id, one.glyph])
  const drawn = Object.entries(pages).map(([name, rows]) => [name, rows.map((row) => row.map(key))])
  return { pages: Object.fromEntries(drawn), space: key(space) }
}

async function opened(blob: Uint8Array): Promise<string> {
  const key = await SUITE.DeserializePrivateKey(fromHex(SEALED.private))
  const info = fromHex(SEALED.info)
  return toHex(new Uint8Array(await SUITE.Open(key, blob.slice(16, 81), blob.slice(81), { info })))
}

test('E12 E13 the same bytes draw the same keys as in Python', () => {
  for (const { kind, random, pages, space } of json<LayoutVector[]>('keypad/layouts.json')) {
    assert.deepEqual(written(localLayout(kind, stream(fromHex(random)))), { pages, space })
  }
})

test('E12 what is sealed is what Python seals, under the same context', async () => {
  const keyId = new TextDecoder().decode(fromHex(SEALED.blob.slice(0, 32)))
  assert.equal(toHex(sealInfo(keyId, SEALED.where)), SEALED.info)
  assert.equal(toHex(packed(SEALED.items)), SEALED.plain)
  assert.equal(await opened(fromHex(SEALED.blob)), SEALED.plain)
  const blob = await sealTyped(fromHex(SEALED.public), SEALED.items, SEALED.where)
  assert.equal(await opened(blob), SEALED.plain)
})

test('E12 a blob has one length, whatever was typed', async () => {
  const lengths = new Set<number>()
  const keys = Array.from({ length: 20 }, () => ({ key: '0a1b' as ServerKey }))
  for (const items of [[], [{ text: 'a' }], keys, [{ text: '가'.repeat(64) }, ...keys]]) {
    lengths.add((await sealTyped(fromHex(SEALED.public), items, SEALED.where)).length)
  }
  assert.deepEqual([...lengths], [16 + 65 + PLAIN + 16])
  assert.throws(() => packed([{ text: 'a'.repeat(PLAIN) }]), RangeError)
})

test('E13 every layout of the vault has every key once, under ids of its own', () => {
  for (let turn = 0; turn < 50; turn++) {
    for (const [kind, count] of [['digits', 10], ['text', 10 + 26 + 10 + 26 + 32 + 1]] as const) {
      const keys = keysOf(localLayout(kind, randomBytes))
      assert.equal(keys.length, count)
      assert.equal(new Set(keys.map(({ id }) => id)).size, kind === 'digits' ? 10 : count - 10)
    }
  }
})

test('E13 1,000 layouts of the vault put every digit anywhere alike', () => {
  const cells = Array.from({ length: 12 }, () => Array<number>(10).fill(0))
  const turns = 1000
  for (let turn = 0; turn < turns; turn++) {
    const rows = localLayout('digits', randomBytes).pages['digits']!.flat()
    rows.forEach((key, at) => {
      if (key !== null) cells[at]![Number(key.glyph)]! += 1
    })
  }
  const expected = turns / 12
  const chi = cells.flat().reduce((sum, seen) => sum + (seen - expected) ** 2 / expected, 0)
  // 110 on average for a uniform draw; beyond 250 it goes less than once in a thousand million runs.
  assert.ok(chi < 250, `chi-square ${chi}`)
})

test('E13 a key of the vault cannot be sealed to the center, nor a key of the center be resolved in the vault', () => {
  const local = keysOf(localLayout('digits', randomBytes))[0]!
  const server = '0a1b' as ServerKey
  // Each line is an error for the compiler, which `tsc (tests)` asks for; a build that let one pass would fail here.
  // @ts-expect-error a LocalKey is no ServerKey
  const sealing: Typed = { key: local.id }
  // @ts-expect-error a ServerKey is no LocalKey
  const resolving: LocalKey = server
  // @ts-expect-error a layout of the vault is none of the center's
  const layout: Layout<ServerKey> = localLayout('digits', randomBytes)
  assert.ok(sealing && resolving && layout)
})

test('a field of dots follows whatever changes it', () => {
  const typed = [...'abcd']
  const own = (text: string): string => text
  const after = (value: string, caret: number): string => followed(typed, value, caret, own).join('')
  assert.equal(after(`${dots(4)}x`, 5), 'abcdx')
  assert.equal(after(`x${dots(4)}`, 1), 'xabcd')
  assert.equal(after(`${DOT}xy${dots(3)}`, 3), 'axybcd')
  assert.equal(after('pasted', 6), 'pasted')
  assert.equal(after(`${DOT}한${DOT}`, 2), 'a한d')
  assert.equal(after(`${DOT}🔑${dots(3)}`, 3), 'a🔑bcd')
  assert.equal(after(dots(3), 3), 'abc')
  assert.equal(after(dots(3), 0), 'bcd')
  assert.equal(after(dots(2), 1), 'ad')
  assert.equal(after('', 0), '')
  assert.equal(followed([], 'new', 3, own).join(''), 'new')
})
