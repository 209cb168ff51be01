/** Drafts: what is written before anything is sent, and who opens it (security B10). */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Exchange } from '../../src/pure/cmp/exchange.ts'
import { begin, type Draft, openDraft, outlived, sameDraft } from '../../src/vault/draft.ts'
import { bytes, codeOf, counted, text } from '../pure/vectors.ts'
import { registered } from './issue_request.ts'

const KEY_FILE = bytes('npki-samples/pypinksign/signPri.key')
const PASSWORD = text('WTuA8Ev0lWXVFSiI!')
const FEW = 1000
const ABOUT = { flow: 'a'.repeat(32), spki: 'c'.repeat(64), created: 1_000 }

const draft = (seed = 1): Promise<Draft> => begin(ABOUT, KEY_FILE, PASSWORD, FEW, counted(seed))
const EXCHANGE: Exchange = {
  reference: '4711',
  protection: 'pbmac1',
  recipient: '',
  transactionId: '1'.repeat(32),
  senderNonce: '2'.repeat(32),
  theirNonce: null,
}

test('B10 the key file comes back byte for byte, by the password alone', async () => {
  const opened = await openDraft(await draft(), PASSWORD)
  assert.deepEqual(opened.keyFile, KEY_FILE)
  assert.equal(opened.codes, null)
  assert.equal(await codeOf(async () => openDraft(await draft(), text('wrong'))), 'wrong-password')
})

test('the codes and the number are sealed with it, and come back', async () => {
  const opened = await openDraft(await draft(), PASSWORD)
  const told = await opened.registered(registered(), counted(9))
  assert.deepEqual((await openDraft(told, PASSWORD)).codes, registered())
  const whole = Buffer.from(JSON.stringify(told, (_, value: unknown) => (value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : value)))
  for (const secret of [registered().code, registered().idn]) assert.equal(whole.includes(secret), false)
})

test('nothing moves between drafts: flow, key and id are bound', async () => {
  const [one, other] = [await draft(1), await draft(2)]
  for (const altered of [{ ...one, flow: 'b'.repeat(32) }, { ...one, spki: 'd'.repeat(64) }, { ...one, id: other.id }]) {
    assert.equal(await codeOf(() => openDraft(altered, PASSWORD)), 'wrong-password')
  }
  assert.equal(await codeOf(() => openDraft({ ...one, key: other.key }, PASSWORD)), 'draft-damaged')
  assert.equal(await codeOf(() => openDraft({ ...one, version: 2 }, PASSWORD)), 'draft-damaged')
  const rounds = { ...one.slot, rounds: Number.POSITIVE_INFINITY }
  assert.equal(await codeOf(() => openDraft({ ...one, slot: rounds }, PASSWORD)), 'draft-damaged')
})

test('what is read back equals what was written only when every byte does', async () => {
  const sent = { what: 'ir', bytes: Uint8Array.of(1, 2), exchange: EXCHANGE, why: null } as const
  const one: Draft = { ...(await draft()), sent }
  assert.equal(sameDraft(one, structuredClone(one)), true)
  assert.equal(sameDraft(one, { ...one, sent: { ...sent, bytes: Uint8Array.of(1, 3) } }), false)
  assert.equal(sameDraft(one, { ...one, sent: { ...sent, exchange: { ...EXCHANGE, senderNonce: '3'.repeat(32) } } }), false)
  assert.equal(sameDraft(one, { ...one, sent: null }), false)
  assert.equal(sameDraft(one, { ...one, codes: one.key }), false)
})

test('drafts of other flows are cleared away once they are of no more use', async () => {
  const made = await draft()
  const sent: Draft = { ...made, sent: { what: 'ir', bytes: Uint8Array.of(1), exchange: EXCHANGE, why: null } }
  const day = 86_400_000
  assert.equal(outlived(made, 1_000 + day), false)
  assert.equal(outlived(made, 1_001 + day), true)
  assert.equal(outlived(sent, 1_001 + day), false)
  assert.equal(outlived(sent, 1_001 + 14 * day), true)
})
