/** The worker of an issue without an authority: what it seals, proves and refuses (security B9, B10, B11, B16). */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openKey } from '../../src/pure/npki/key_file.ts'
import { spkiHash } from '../../src/pure/npki/new_key.ts'
import { openPfx } from '../../src/pure/npki/pfx.ts'
import { type Draft, openDraft } from '../../src/vault/draft.ts'
import type { IssueDone, IssueStep } from '../../src/vault/issue_steps.ts'
import { Issuing } from '../../src/vault/issuing.ts'
import { keep, openByPasskey } from '../../src/vault/record.ts'
import { bytes, codeOf, text } from '../pure/vectors.ts'

const FEW = 1000
const PASSWORD = 'Gold!seal-2026x'
const CERTIFICATE = bytes('npki-samples/pypinksign/signCert.der')
const KEY_FILE = bytes('npki-samples/pypinksign/signPri.key')
const OLD_PASSWORD = 'WTuA8Ev0lWXVFSiI!'

const MAKE = { step: 'make', flow: 'a'.repeat(32), created: 1 } as const

function draftIn(done: IssueDone): Draft {
  assert.equal(done.kind, 'draft')
  return (done as Extract<IssueDone, { kind: 'draft' }>).draft
}

test('B10 the new key lies in the draft with R, opens to what was made, and only by its password', async () => {
  const issuing = new Issuing(FEW)
  const draft = draftIn(await issuing.perform({ ...MAKE, password: text(PASSWORD) }))
  assert.deepEqual(await issuing.perform({ step: 'check', draft: structuredClone(draft) }), { kind: 'opened' })
  const { keyFile } = await openDraft(draft, text(PASSWORD))
  const key = await openKey(keyFile, text(PASSWORD))
  assert.equal(spkiHash(key), draft.spki)
  assert.equal(key.random?.length, 23)
  const other = new Issuing(FEW)
  assert.equal(await codeOf(() => other.perform({ step: 'open', draft, password: text('Wrong!2026x') })), 'wrong-password')
  assert.deepEqual(await other.perform({ step: 'open', draft, password: text(PASSWORD) }), { kind: 'opened' })
})

test('B10 a draft that was read back as another key is not taken', async () => {
  const [one, two] = [new Issuing(FEW), new Issuing(FEW)]
  await one.perform({ ...MAKE, password: text(PASSWORD) })
  const draft = draftIn(await two.perform({ ...MAKE, password: text(PASSWORD) }))
  assert.equal(await codeOf(() => one.perform({ step: 'check', draft })), 'draft-damaged')
})

test('no key is ever sealed under nothing, or under what the rule refuses', async () => {
  const issuing = new Issuing(FEW)
  for (const password of ['', 'short', 'Row!abc-2026']) {
    const code = await codeOf(() => issuing.perform({ ...MAKE, password: text(password) }))
    assert.match(code, /^cert-password-/)
  }
})

test('B11 what the worker held of a password is overwritten at the end', async () => {
  const issuing = new Issuing(FEW)
  const password = text(PASSWORD)
  const draft = draftIn(await issuing.perform({ ...MAKE, password }))
  issuing.end()
  assert.deepEqual(password, new Uint8Array(password.length))
  assert.equal(await codeOf(() => issuing.perform({ step: 'poll', draft, measure: MEASURE })), 'wrong-password')
})

const MEASURE = { encryption: CERTIFICATE, anchors: [], policies: [], holder: '', at: 0 }

test('steps out of their order are refused by code', async () => {
  const issuing = new Issuing(FEW)
  const draft = draftIn(await issuing.perform({ ...MAKE, password: text(PASSWORD) }))
  const steps: IssueStep[] = [
    { step: 'receive', draft, message: new Uint8Array(3), idn: null, measure: MEASURE },
    { step: 'poll', draft, measure: MEASURE },
    { step: 'conclude', draft, message: new Uint8Array(3), measure: MEASURE },
  ]
  for (const step of steps) assert.equal(await codeOf(() => issuing.perform(step)), 'draft-damaged')
})

test('B16 a kept certificate becomes a .pfx with its R, by its password alone', async () => {
  const record = await keep(CERTIFICATE, KEY_FILE, text(OLD_PASSWORD), FEW)
  const issuing = new Issuing(FEW)
  const wrong = { step: 'backup', record, strong: false, password: text('Wrong!2026x') } as const
  assert.equal(await codeOf(() => issuing.perform(wrong)), 'wrong-password')
  const done = await issuing.perform({ ...wrong, password: text(OLD_PASSWORD) })
  assert.equal(done.kind, 'pfx')
  const { key } = await openPfx((done as Extract<IssueDone, { kind: 'pfx' }>).pfx, text(OLD_PASSWORD))
  assert.deepEqual(key.pkcs8, (await openKey(KEY_FILE, text(OLD_PASSWORD))).pkcs8)
})

test('B9 a passkey is set with the password that the worker holds, and its secret is overwritten', async () => {
  const record = await keep(CERTIFICATE, KEY_FILE, text(OLD_PASSWORD), FEW)
  const issuing = new Issuing(FEW)
  await issuing.perform({ step: 'backup', record, strong: false, password: text(OLD_PASSWORD) })
  const prf = new Uint8Array(32).fill(3)
  const passkey = { credential: Uint8Array.of(1), salt: new Uint8Array(32), prf }
  const done = await issuing.perform({ step: 'passkey', record, passkey })
  assert.deepEqual(prf, new Uint8Array(32))
  assert.equal(done.kind, 'record')
  const opened = await openByPasskey((done as Extract<IssueDone, { kind: 'record' }>).record, new Uint8Array(32).fill(3))
  assert.deepEqual(opened.pkcs8, (await openKey(KEY_FILE, text(OLD_PASSWORD))).pkcs8)
})
