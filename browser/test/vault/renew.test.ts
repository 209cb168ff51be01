/** A renewal in the vault: its messages, and which certificate may be renewed (M-RENEW-01 to -03). */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Certificate } from '../../src/pure/npki/certificate.ts'
import { fromCenter, fromVault, MessageRefused } from '../../src/vault/messages.ts'
import { begin, openDraft } from '../../src/vault/draft.ts'
import { advance, type State } from '../../src/vault/issue_machine.ts'
import { type OwnStanding, toldMessage } from '../../src/vault/renew_messages.ts'
import { standingToRenew } from '../../src/vault/standing_to_renew.ts'
import { issued } from '../pure/issuing_vectors.ts'
import { bytes, counted, text } from '../pure/vectors.ts'

const certificate = new Certificate(issued)
const { fingerprintHex: fingerprint } = certificate
const DAY_MS = 86_400_000
const entry = { id: 'one', certificate, source: null, trouble: null, fileName: '' }
const before = (days: number): Date => new Date(certificate.notAfter.getTime() - days * DAY_MS)

const given = (standing: OwnStanding | null = 'valid', ours = true, policies = [certificate.policyOid ?? '']) => ({
  own: new Map(standing === null ? [] : [[fingerprint, standing] as const]),
  ours: () => ours,
  policies,
  days: 30,
})

test('D10 within thirty days of its end a valid one of this person is renewed, and nothing else is', () => {
  const code = (at: Date, renewable = given()): string | null => standingToRenew(entry, renewable, at).code
  assert.equal(code(before(30)), null)
  assert.equal(code(before(0)), null)
  assert.equal(code(before(31)), 'renew-early')
  assert.equal(code(before(-1)), 'renew-late')
  assert.equal(code(before(10), given('valid', false)), 'renew-elsewhere')
  assert.equal(code(before(10), given(null)), 'renew-not-yours')
  assert.equal(code(before(10), given('pending')), 'renew-not-yours')
  assert.equal(code(before(10), given('held')), 'cert-suspended')
  assert.equal(code(before(10), given('revoked')), 'cert-revoked')
  assert.equal(code(before(10), given('valid', true, ['1.2.3'])), 'renew-product')
  assert.equal(standingToRenew({ ...entry, trouble: 'key-damaged' }, given(), before(10)).code, 'key-damaged')
  assert.ok(standingToRenew({ ...entry, certificate: null }, given(), before(10)).usable)
})

const RENEW = {
  flow: 'a'.repeat(32),
  now: '2027-11-06T09:00:00Z',
  lang: 'ko',
  origin: 'https://center.ingam.test',
  holder: { name: '홍길동', kind: 'personal' },
  encryption: 'AAAA',
  anchors: ['AAAA'],
  policies: ['1.2.3'],
  state: 'key',
  own: [{ fingerprint, standing: 'valid' }],
  window_days: 30,
}
const said = (more: object): unknown => ({ ingam: 1, kind: 'renew', id: 'x', renew: { ...RENEW, ...more } })

test('the renew message is read strictly', () => {
  assert.equal(fromCenter(said({})).kind, 'renew')
  assert.equal(fromCenter(said({ own: [] })).kind, 'renew')
  for (const wrong of [
    { own: [{ fingerprint, standing: 'good' }] },
    { own: [{ fingerprint: 'a', standing: 'valid' }] },
    { own: null },
    { window_days: -1 },
    { window_days: '30' },
    { spki: 'a' },
    { profile_ko: 'a' },
    { flow: 'a' },
  ]) {
    assert.throws(() => fromCenter(said(wrong)), MessageRefused, JSON.stringify(wrong))
  }
})

const NUMBER = '7510051000001'

test('D10 the number comes beside the certificate, in a message of its own', () => {
  const brought = { ingam: 1, kind: 'brought', id: 'x', message: 'TUlJ', idn: NUMBER }
  assert.deepEqual(fromCenter(brought), { kind: 'brought', id: 'x', message: 'TUlJ', idn: NUMBER })
  const { idn: _, ...without } = brought
  for (const wrong of [without, { ...brought, idn: null }, { ...brought, idn: '1' }, { ...brought, code: 'x' }, { ...brought, message: '!' }]) {
    assert.throws(() => fromCenter(wrong), MessageRefused, JSON.stringify(wrong))
  }
  assert.throws(() => fromVault(brought), MessageRefused)
})

test('D10 the number goes with the certificate to be weighed, and is kept sealed', async () => {
  const key = bytes('npki-samples/pypinksign/signPri.key')
  const about = { flow: 'a'.repeat(32), spki: 'c'.repeat(64), created: 1_000 }
  const draft = await begin(about, key, text('Gold!seal-2026x'), 1000, counted(1))
  const sent: State = { at: 'sent', draft, trouble: null }
  const { effects } = advance(sent, { on: 'carried', message: new Uint8Array(3), idn: NUMBER })
  assert.deepEqual(effects, [{ do: 'weigh', draft, message: new Uint8Array(3), idn: NUMBER }])
  const measured = { not_after_at_most: '2028-12-31T14:59:59Z' }
  for (const told of [measured, { ...measured, idn: NUMBER }]) {
    const kept = await (await openDraft(draft, text('Gold!seal-2026x'))).registered(told, counted(9))
    assert.deepEqual((await openDraft(kept, text('Gold!seal-2026x'))).codes, told)
  }
  assert.throws(() => toldMessage({ ...measured, idn: '1' }), MessageRefused)
})

test('what is told and measured is of its form', () => {
  const measured = { not_after_at_most: '2028-12-31T14:59:59Z' }
  assert.equal(fromCenter({ ingam: 1, kind: 'measured', id: 'x', measured }).kind, 'measured')
  for (const wrong of [{ ...measured, code: 'x' }, { ...measured, idn: NUMBER }, { idn: NUMBER }, {}]) {
    assert.throws(() => fromCenter({ ingam: 1, kind: 'measured', id: 'x', measured: wrong }), MessageRefused)
  }
  const told = { ingam: 1, kind: 'renewing', id: 'x', spki: fingerprint, fingerprint }
  assert.equal(fromVault(told).kind, 'renewing')
  assert.throws(() => fromVault({ ...told, fingerprint: 'a' }), MessageRefused)
})
