/** The conversation of an issue: a closed list, exact forms, and nothing of a key in it (security B2, B10). */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Refusal } from '../../src/pure/failure.ts'
import { fromCenter, fromVault, written } from '../../src/vault/messages.ts'
import { issue, registered } from './issue_request.ts'

const ask = written({ kind: 'issue', id: 'a-1', issue: issue() })
const told = written({ kind: 'registered', id: 'a-1', registered: registered() })

function codeOf(doing: () => unknown): string {
  try {
    doing()
  } catch (failure) {
    if (failure instanceof Refusal) return failure.code
    throw failure
  }
  return 'done'
}

test('B2 what the center says of an issue, the vault reads as it was said', () => {
  assert.deepEqual(fromCenter(ask), { kind: 'issue', id: 'a-1', issue: issue() })
  assert.deepEqual(fromCenter(told), { kind: 'registered', id: 'a-1', registered: registered() })
  for (const message of [
    { kind: 'carried', id: 'a-1', message: 'TUlJ' },
    { kind: 'failed', id: 'a-1', code: 'certification-outage' },
  ] as const) {
    assert.deepEqual(fromCenter(written(message)), message)
  }
})

test('B2 no field of an issue is missing, further, or of another form', () => {
  const wrong: Record<string, unknown>[] = [
    { flow: 'A'.repeat(32) },
    { flow: 'a'.repeat(31) },
    { now: '2026-11-26 09:00:00' },
    { lang: 'fr' },
    { origin: 1 },
    { holder: { name: '', kind: 'personal' } },
    { holder: { name: 'a\u202eb', kind: 'personal' } },
    { holder: { name: '홍길동', kind: 'anyone' } },
    { holder: { name: '홍길동', kind: 'personal', idn: '7510051000001' } },
    { encryption: 'not base64!' },
    { encryption: 'A'.repeat(16_385) },
    { anchors: [] },
    { anchors: Array.from({ length: 9 }, () => 'TUlJ') },
    { anchors: 'TUlJ' },
    { policies: ['1..2'] },
    { policies: [1] },
    { profile_ko: '\n' },
    { state: 'issued' },
    { spki: 'x' },
    { password: 'x' },
  ]
  for (const each of wrong) {
    assert.equal(codeOf(() => fromCenter({ ...ask, issue: { ...issue(), ...each } })), 'message-refused', JSON.stringify(each))
  }
  const { flow: _, ...without } = issue()
  assert.equal(codeOf(() => fromCenter({ ...ask, issue: without })), 'message-refused')
})

test('B2 no field of `registered` is missing, further, or of another form', () => {
  const wrong: Record<string, unknown>[] = [
    { reference: '' },
    { reference: '가' },
    { code: 'with blank ' },
    { code: 'x'.repeat(65) },
    { idn: '751005-1000001' },
    { not_after_at_most: 'tomorrow' },
    { key: 'x' },
  ]
  for (const each of wrong) {
    const altered = { ...told, registered: { ...registered(), ...each } }
    assert.equal(codeOf(() => fromCenter(altered)), 'message-refused', JSON.stringify(each))
  }
})

test('B2 what the vault tells of an issue is bounded and of its form', () => {
  const wrong: Record<string, unknown>[] = [
    { kind: 'made', spki: 'F'.repeat(64) },
    { kind: 'carry', message: '' },
    { kind: 'carry', message: 'A'.repeat(87_385) },
    { kind: 'size', height: -1 },
    { kind: 'size', height: 1.5 },
    { kind: 'size', height: '640' },
    { kind: 'size', height: 6_001 },
    { kind: 'issued', fingerprint: '4'.repeat(64), serial: 'XY', not_after: '2027-11-26T14:59:59Z', kept: true },
    { kind: 'issued', fingerprint: '4'.repeat(64), serial: '1', not_after: '2027-11-26T14:59:59Z', kept: 1 },
    { kind: 'key' },
  ]
  for (const each of wrong) {
    assert.equal(codeOf(() => fromVault({ ingam: 1, id: 'a-1', ...each })), 'message-refused', JSON.stringify(each))
  }
})
