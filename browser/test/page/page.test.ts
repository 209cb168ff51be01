// What the page's script computes without a page: seconds as people read them, digits out of what was pasted.

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { clockFace } from '../../src/page/clock_face.ts'
import { digitsOf } from '../../src/page/digits.ts'

test('seconds are shown as minutes, and never below zero', () => {
  assert.equal(clockFace(581), '9:41')
  assert.equal(clockFace(7), '0:07')
  assert.equal(clockFace(59.2), '1:00')
  assert.equal(clockFace(3723), '1:02:03')
  assert.equal(clockFace(-5), '0:00')
})

test('a pasted code keeps its digits, full-width ones too, and no more than fit', () => {
  assert.equal(digitsOf('482-913', 6), '482913')
  assert.equal(digitsOf('４８２ ９１３', 6), '482913')
  assert.equal(digitsOf('인증번호 482913 입니다', 6), '482913')
  assert.equal(digitsOf('4829131', 6), '482913')
  assert.equal(digitsOf('', 6), '')
})
