// The field rules as the browser applies them; that it agrees with the server is shown by tests/customer/test_fields_twin.py.

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { check, isRule, koreanToday } from '../../src/pure/fields.ts'

test('today is the day in Korea, nine hours ahead of UTC', () => {
  assert.equal(koreanToday(new Date('2026-11-22T14:59:59Z')), '20261122')
  assert.equal(koreanToday(new Date('2026-11-22T15:00:00Z')), '20261123')
})

test('a mobile number is its digits, however it was pasted', () => {
  for (const text of ['01012345678', '010-1234-5678', ' 010 1234 5678 ', '０１０－１２３４－５６７８', '+82 10-1234-5678']) {
    assert.deepEqual(check('mobile', text, '20261122'), { value: '01012345678', error: null, warning: null })
  }
  assert.equal(check('mobile', '02-123-4567', '20261122').error, 'mobile')
})

test('a rule that there is not is an error of ours', () => {
  assert.equal(isRule('constructor'), false)
  assert.throws(() => check('toString', 'x', '20261122'), RangeError)
})
