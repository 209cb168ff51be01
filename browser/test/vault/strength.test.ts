/** How strong a password is said to be: rough, and never the rule. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { strengthOf } from '../../src/vault/strength.ts'

test('longer and more mixed is stronger; what people begin and end with adds little', () => {
  assert.equal(strengthOf(''), 'weak')
  assert.equal(strengthOf('password1!'), 'weak')
  assert.equal(strengthOf('Gold!seal-2026x'), 'strong')
  assert.equal(strengthOf('T7#kq9Lw!x2Vz8@m'), 'great')
  const order = ['Abcd2026!!', 'T7#kq9Lw!x', 'T7#kq9Lw!x2Vz8@m'].map(strengthOf)
  assert.deepEqual(order, ['weak', 'strong', 'great'])
})
