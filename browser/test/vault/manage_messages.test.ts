/** The conversation of the certificate desk: a closed list, exact forms, and nothing of a secret in it (security B2). */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Refusal } from '../../src/pure/failure.ts'
import { fromCenter, fromVault, written } from '../../src/vault/messages.ts'

const HASH = '4'.repeat(64)
const NOW = '2026-11-26T12:00:00Z'
const MANAGE = {
  origin: 'http://localhost:8700', lang: 'ko', now: NOW, known: true, registered: HASH, anchors: ['TUlJ'], wanted: 'list',
} as const
const CHECK = { check: 'status', verdict: 'good', code: null, source: 'ocsp', produced: NOW } as const

function codeOf(doing: () => unknown): string {
  try {
    doing()
  } catch (failure) {
    if (failure instanceof Refusal) return failure.code
    throw failure
  }
  return 'done'
}

test('B2 what the center says at the desk, the vault reads as it was said', () => {
  for (const told of [
    { kind: 'manage', id: 'a-1', manage: MANAGE },
    { kind: 'manage', id: 'a-1', manage: { ...MANAGE, known: false, registered: null, wanted: 'files' } },
    { kind: 'verified', id: 'a-1', verified: { at: NOW, checks: [CHECK] } },
    { kind: 'verified', id: 'a-1', verified: { at: NOW, checks: [{ ...CHECK, verdict: 'open', code: 'not-asked', source: null, produced: null }] } },
  ] as const) {
    assert.deepEqual(fromCenter(written(told)), told)
  }
})

test('B2 what the vault says at the desk, the page reads as it was said', () => {
  for (const told of [
    { kind: 'verify', id: 'a-1', certificate: 'TUlJ' },
    { kind: 'lead', id: 'a-1', to: 'revocation' },
  ] as const) {
    assert.deepEqual(fromVault(written(told)), told)
  }
})

test('B2 nothing else is taken: no other field, form, place or check', () => {
  for (const manage of [
    { ...MANAGE, password: 'x' },
    { ...MANAGE, registered: 'A'.repeat(64) },
    { ...MANAGE, anchors: Array.from({ length: 33 }, () => 'TUlJ') },
    { ...MANAGE, wanted: 'export' },
    { ...MANAGE, known: 'yes' },
    { ...MANAGE, now: 'today' },
  ]) {
    assert.equal(codeOf(() => fromCenter({ ingam: 1, kind: 'manage', id: 'a-1', manage })), 'message-refused')
  }
  for (const check of [{ ...CHECK, check: 'owner' }, { ...CHECK, verdict: 'fine' }, { ...CHECK, source: 'rumour' }, { ...CHECK, more: 1 }]) {
    const verified = { at: NOW, checks: [check] }
    assert.equal(codeOf(() => fromCenter({ ingam: 1, kind: 'verified', id: 'a-1', verified })), 'message-refused')
  }
  for (const told of [
    { kind: 'lead', id: 'a-1', to: 'https://elsewhere.example' },
    { kind: 'verify', id: 'a-1', certificate: 'A'.repeat(16_388) },
    { kind: 'verify', id: 'a-1', certificate: 'TUlJ', key: 'TUlJ' },
  ]) {
    assert.equal(codeOf(() => fromVault({ ingam: 1, ...told })), 'message-refused')
  }
})
