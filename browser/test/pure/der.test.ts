/** DER: what is read is exact, what is refused is refused, and what is written reads back. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromHex, toHex } from '../../src/pure/octets.ts'
import { bits, element, explicit, integer, octets, oid, seq, setOf, tlv, whole } from '../../src/pure/npki/der.ts'
import { codeOf } from './vectors.ts'

const REFUSED: Readonly<Record<string, string>> = {
  nothing: '',
  'a tag alone': '30',
  'a high tag number': '1f0100',
  'an indefinite length': '30800000',
  'a length of five octets': '308500000000013000',
  'a length longer than needed': '3081053003020100',
  'a length with a leading zero': '30820080' + '00'.repeat(128),
  'less than the length': '30050201',
  'a byte behind': '300000',
  'four gigabytes': '3084ffffffff00',
}

for (const [what, hex] of Object.entries(REFUSED)) {
  test(`A3 ${what} is not DER`, async () => {
    assert.equal(await codeOf(() => whole(fromHex(hex))), 'not-der')
  })
}

test('A3 a child may not reach over the end of its parent', async () => {
  const parent = whole(fromHex('3003020201')).expect(0x30)
  assert.equal(await codeOf(() => parent.children()), 'not-der')
})

test('integers are minimal two’s complement, both ways', async () => {
  for (const [value, hex] of [
    [0n, '020100'],
    [127n, '02017f'],
    [128n, '02020080'],
    [256n, '02020100'],
    [-1n, '0201ff'],
    [-128n, '020180'],
    [-129n, '0202ff7f'],
    [1n << 64n, '0209010000000000000000'],
  ] as const) {
    assert.equal(toHex(integer(value)), hex)
    assert.equal(whole(fromHex(hex)).integer(), value)
  }
  for (const hex of ['0200', '0202007f', '0202ff80', '020200ff00', '040101']) {
    assert.equal(await codeOf(() => whole(fromHex(hex)).integer()), 'not-der', hex)
  }
})

test('object identifiers go both ways, arcs of 128 bits too', async () => {
  for (const [dotted, hex] of [
    ['1.2.410.200004.10.1.1.3', '060a2a831a8c9a440a010103'],
    ['2.5.29.32.0', '0604551d2000'],
    ['2.25.147690576529670081407829877669301549600.1', '061569838de4c6b79d9b8be7f49af8fca3d3ffd5bba001'],
  ] as const) {
    assert.equal(whole(oid(dotted)).oid(), dotted)
    if (!dotted.startsWith('2.25')) assert.equal(toHex(oid(dotted)), hex)
  }
  for (const hex of ['0600', '060180', '06022a80', '0603802a03', `0681${'ff'}${'81'.repeat(255)}`]) {
    assert.equal(await codeOf(() => whole(fromHex(hex)).oid()), 'not-der', hex)
  }
})

test('bit strings have whole octets, and explicit tags one element', async () => {
  assert.equal(toHex(whole(bits(fromHex('aabb'))).bits()), 'aabb')
  assert.equal(await codeOf(() => whole(fromHex('0300')).bits()), 'not-der')
  assert.equal(await codeOf(() => whole(fromHex('030204f0')).bits()), 'not-der')
  assert.equal(toHex(whole(explicit(0, octets(fromHex('aa')))).explicit(0).raw), '0401aa')
  assert.equal(await codeOf(() => whole(fromHex('a004020101020101')).explicit(0)), 'not-der')
})

test('lengths of every size are the shortest, and a SET OF is sorted', () => {
  for (const size of [0, 1, 127, 128, 255, 256, 65535, 65536]) {
    const found = whole(tlv(0x04, new Uint8Array(size)))
    assert.equal(found.content.length, size)
  }
  assert.equal(toHex(setOf([fromHex('020102'), fromHex('0101ff'), fromHex('020101')])), '31090101ff020101020102')
})

test('a slice in the middle of other bytes keeps its own bounds', () => {
  const data = fromHex('ff' + toHex(seq(integer(5), octets(fromHex('0203')))) + 'ff')
  const found = element(data, 1)
  assert.equal(found.sequence()[1]!.start, 6)
  assert.equal(toHex(found.raw), toHex(data.subarray(1, -1)))
})
