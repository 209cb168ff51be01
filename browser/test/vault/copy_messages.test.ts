/** The conversation of a copy: a closed list, exact forms, and nothing of a secret in it (security B2, C4, C5). */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Refusal } from '../../src/pure/failure.ts'
import { fromCenter, fromVault, written } from '../../src/vault/messages.ts'
import { copyOutMessage, receiving, sending } from './copy_request.ts'
import { message } from './request.ts'

const TICKET = `${'e'.repeat(400)}.${'A'.repeat(86)}`
const HASH = '4'.repeat(64)

function codeOf(doing: () => unknown): string {
  try {
    doing()
  } catch (failure) {
    if (failure instanceof Refusal) return failure.code
    throw failure
  }
  return 'done'
}

test('B2 what the center says of a copy, the vault reads as it was said', () => {
  for (const told of [
    { kind: 'copy', id: 'a-1', copy: sending() },
    { kind: 'copy', id: 'a-1', copy: receiving() },
    { kind: 'ticket', id: 'a-1', ticket: TICKET },
    { kind: 'accepted', id: 'a-1' },
    { kind: 'renewed', id: 'a-1', challenge: copyOutMessage() },
    { kind: 'failed', id: 'a-1', code: 'copy-not-registered' },
  ] as const) {
    assert.deepEqual(fromCenter(written(told)), told)
  }
})

test('B2 what the vault says of a copy, the page reads as it was said', () => {
  for (const told of [
    { kind: 'proved', id: 'a-1', nonce: '1'.repeat(64), signed: 'TUlJ' },
    { kind: 'wanted', id: 'a-1', act: 'open', mailbox: null },
    { kind: 'wanted', id: 'a-1', act: 'join', mailbox: '04123' },
    { kind: 'opened', id: 'a-1', mailbox: '41234', ticket: 'f'.repeat(32) },
    { kind: 'paired', id: 'a-1' },
    { kind: 'arrived', id: 'a-1', fingerprint: HASH },
    { kind: 'copied', id: 'a-1', fingerprint: HASH, role: 'receive' },
    { kind: 'ended', id: 'a-1', code: 'copy-wrong-number' },
  ] as const) {
    assert.deepEqual(fromVault(written(told)), told)
  }
})

test('B2 no field of `copy` is missing, further, or of another form', () => {
  const wrong: Record<string, unknown>[] = [
    { origin: 1 },
    { role: 'relay' },
    { lang: 'fr' },
    { customer_kind: null },
    { here: 'tablet' },
    { device: '' },
    { device: 'PC\u202e' },
    { device: '가'.repeat(41) },
    { bound: HASH },
    { bound: ['F'.repeat(64)] },
    { bound: Array.from({ length: 17 }, () => HASH) },
    { other: '' },
    { challenge: null },
    { challenge: message() },
    { challenge: message({ purpose: 'login', seal: false }) },
    { challenge: copyOutMessage({ seal: true }) },
    { challenge: copyOutMessage({ body: null, body_text: null }) },
    { relay: 'http://localhost:8705' },
  ]
  for (const each of wrong) {
    const asked = written({ kind: 'copy', id: 'a-1', copy: { ...sending(), ...each } as never })
    assert.equal(codeOf(() => fromCenter(asked)), 'message-refused', JSON.stringify(each))
  }
  const { here: _, ...without } = sending()
  assert.equal(codeOf(() => fromCenter(written({ kind: 'copy', id: 'a-1', copy: without as never }))), 'message-refused')
})

test('C5 no message of the page can bring a number, a QR or an address of a relay', () => {
  for (const more of [{ number: '412341234567' }, { digits: '1234567' }, { qr: 'INGAM1:' }, { relay: 'http://x' }]) {
    for (const told of [
      written({ kind: 'copy', id: 'a-1', copy: { ...sending(), ...more } }),
      { ...written({ kind: 'copy', id: 'a-1', copy: sending() }), ...more },
      { ...written({ kind: 'ticket', id: 'a-1', ticket: TICKET }), ...more },
      { ...written({ kind: 'accepted', id: 'a-1' }), ...more },
    ]) {
      assert.equal(codeOf(() => fromCenter(told)), 'message-refused', JSON.stringify(more))
    }
  }
})

test('C4 the page hears five digits of a number and never more', () => {
  for (const mailbox of ['412341234567', '4123', '412345', '', null, 41234]) {
    assert.equal(codeOf(() => fromVault({ ingam: 1, kind: 'wanted', id: 'a-1', act: 'join', mailbox })), 'message-refused')
    const opened = { ingam: 1, kind: 'opened', id: 'a-1', mailbox, ticket: 'f'.repeat(32) }
    assert.equal(codeOf(() => fromVault(opened)), 'message-refused')
  }
  const open = { ingam: 1, kind: 'wanted', id: 'a-1', act: 'open', mailbox: '41234' }
  assert.equal(codeOf(() => fromVault(open)), 'message-refused')
})

test('B2 what the vault tells of a copy is exact', () => {
  const wrong: Record<string, unknown>[] = [
    { kind: 'proved', nonce: 'x', signed: 'TUlJ' },
    { kind: 'proved', nonce: '1'.repeat(64), signed: '' },
    { kind: 'proved', nonce: '1'.repeat(64), signed: 'A'.repeat(65_537) },
    { kind: 'wanted', act: 'send', mailbox: null },
    { kind: 'opened', mailbox: '41234', ticket: 'F'.repeat(32) },
    { kind: 'paired', words: 'apple' },
    { kind: 'arrived', fingerprint: '4'.repeat(63) },
    { kind: 'copied', fingerprint: HASH },
    { kind: 'copied', fingerprint: HASH, role: 'anyone' },
    { kind: 'ended', code: 'Copy' },
    { kind: 'keys' },
  ]
  for (const each of wrong) {
    assert.equal(codeOf(() => fromVault({ ingam: 1, id: 'a-1', ...each })), 'message-refused', JSON.stringify(each))
  }
})
