/**
 * Issuing, from the new key to the confirmed certificate: what the worker does, step by step (security B10, B11, D1).
 *
 * ⑤ make → the window stores and reads back → check (it opens to the same key) → `made`
 * ⑥ request (ir) → the window stores → sent … receive → checks → sealed with its key → the window stores and reads back
 *   → confirm (it opens, the key fits, every check again) → the window stores → sent … conclude.
 * A renewal makes its key beside the old one, which signs every message (renewal, kur); all else is the same (D10).
 * Between the steps stay the password and the key of the draft; private key, R and codes are opened in one step and
 * overwritten at its end.
 */

import {
  composeCertConf,
  composeIr,
  composeKur,
  composePollReq,
  type Proof,
  receiveIp,
  receivePkiConf,
} from '../pure/cmp/exchange.ts'
import { Refusal } from '../pure/failure.ts'
import { checkNewPassword } from '../pure/npki/cert_password.ts'
import { Certificate } from '../pure/npki/certificate.ts'
import { checkEncryption, checkIssued, IssuedRefused } from '../pure/npki/chain.ts'
import { openKey, sealKey } from '../pure/npki/key_file.ts'
import { makeKey, sameKey, spkiHash } from '../pure/npki/new_key.ts'
import { writePfx } from '../pure/npki/pfx.ts'
import { PrivateKey } from '../pure/npki/private_key.ts'
import { sameName } from '../pure/npki/subject.ts'
import { parseIdentifyData } from '../pure/npki/vid.ts'
import { wipe } from '../pure/octets.ts'
import { fromUtf8, randomBytes } from '../pure/platform.ts'
import { begin, type Draft, DraftRefused, type Opened, openDraft, openWith, type Sent } from './draft.ts'
import type { IssueDone, IssueStep, Measure } from './issue_steps.ts'
import { open } from './operation.ts'
import { keep, type KeptRecord, openRecord, withPasskey } from './record.ts'
import type { NumberedMessage, Told } from './renew_messages.ts'

/** The certificate is another person's by name: code `issued-other-name`. */
export class OtherName extends Refusal {
  constructor() {
    super('issued-other-name')
    this.name = 'OtherName'
  }
}

/** It is none of those that may be renewed here: code `renew-not-yours`. */
export class NotRenewable extends Refusal {
  constructor() {
    super('renew-not-yours')
    this.name = 'NotRenewable'
  }
}

type StepOf<K extends IssueStep['step']> = Extract<IssueStep, { step: K }>

/** One issue's worker side. `end()` overwrites what it holds. `rounds`: of the password slots, for tests. */
export class Issuing {
  readonly #rounds: number | undefined
  #password: Uint8Array = new Uint8Array(0)
  /** What the draft of this operation is sealed under, so that its password's rounds are not counted at every step. */
  #dek: { readonly id: string; readonly key: Uint8Array } | null = null
  /** The key as it was made, until it was compared with what was read back. */
  #made: PrivateKey | null = null

  constructor(rounds?: number) {
    this.#rounds = rounds
  }

  end(): void {
    wipe(this.#password)
    this.#made?.wipe()
    this.#made = null
    this.#forget()
  }

  #forget(): void {
    if (this.#dek !== null) wipe(this.#dek.key)
    this.#dek = null
  }

  /** Does a step. Throws a Refusal. */
  async perform(step: IssueStep): Promise<IssueDone> {
    switch (step.step) {
      case 'make':
        return this.#make(step)
      case 'renewal':
        return this.#renewal(step)
      case 'open':
        return this.#open(step)
      case 'check':
        return this.#check(step)
      case 'request':
        return this.#request(step.draft, step.registered, step.measure)
      case 'receive':
        return this.#receive(step)
      case 'poll':
        return this.#poll(step)
      case 'confirm':
        return this.#confirm(step.draft, step.record, step.measure)
      case 'renew':
        return this.#renew(step)
      case 'conclude':
        return this.#conclude(step)
      case 'backup':
        return this.#backup(step)
      case 'passkey':
        return this.#passkey(step)
    }
  }

  async #make({ flow, created, password }: StepOf<'make'>): Promise<IssueDone> {
    this.end()
    this.#password = password
    // Again here, where the key is sealed: a screen that lost what was typed must never seal it under nothing.
    wipe(checkNewPassword(fromUtf8(password)))
    const key = await makeKey()
    this.#made = key
    const keyFile = await sealKey(key.pkcs8, password)
    const draft = await begin({ flow, created, spki: spkiHash(key) }, keyFile, password, this.#rounds)
    return { kind: 'draft', draft }
  }

  /** The old key opens, is its certificate's and may be renewed; only then a new one is made beside it. */
  async #renewal({ flow, created, source, among, password, fresh }: StepOf<'renewal'>): Promise<IssueDone> {
    this.end()
    const old = await open({ source, password })
    try {
      old.key.requireMatch(old.certificate.publicKey)
      if (!among.includes(old.certificate.fingerprintHex)) throw new NotRenewable()
      // One that stays as it is keeps the rule that it was chosen by.
      if (fresh !== null) wipe(checkNewPassword(fromUtf8(fresh)))
      this.#password = fresh ?? password.slice()
      const key = await makeKey()
      this.#made = key
      const keyFile = await sealKey(key.pkcs8, this.#password)
      const record = source.kind === 'record' ? source.record.id : null
      const kept = { certificate: old.certificate.der, pkcs8: old.key.pkcs8, record }
      const about = { flow, created, spki: spkiHash(key) }
      const draft = await begin(about, keyFile, this.#password, this.#rounds, randomBytes, kept)
      return { kind: 'draft', draft }
    } finally {
      old.key.wipe()
      wipe(password)
    }
  }

  async #open({ draft, password }: StepOf<'open'>): Promise<IssueDone> {
    this.end()
    this.#password = password
    await this.#with(draft, () => Promise.resolve())
    return { kind: 'opened' }
  }

  /** What was read back from the storage opens to the very key that was made, R included (B10). */
  async #check({ draft }: StepOf<'check'>): Promise<IssueDone> {
    const made = this.#made
    if (made === null) throw new Refusal('defect')
    // By the password itself, as whoever comes back will.
    this.#forget()
    await this.#with(draft, (_, key) => {
      if (!sameKey(made, key)) throw new DraftRefused('draft-damaged')
      return Promise.resolve()
    })
    made.wipe()
    this.#made = null
    return { kind: 'opened' }
  }

  #request(draft: Draft, registered: Told, measure: Measure): Promise<IssueDone> {
    return this.#with(draft, async (opened, key, proof) => {
      const at = new Date(measure.at)
      const encryption = await checkEncryption(measure.encryption, anchorsOf(measure), at)
      const asked = { key, encryption, padding: 'oaep', at } as const
      const what = 'signer' in proof ? 'kur' : 'ir'
      const composed = 'signer' in proof ? composeKur({ ...asked, ...proof }) : composeIr({ ...asked, ...codesOf(registered) })
      const { bytes, exchange } = await composed
      const kept = await opened.registered(registered)
      return { kind: 'draft', draft: { ...kept, sent: { what, bytes, exchange, why: null } } }
    })
  }

  #receive({ draft, message, idn, measure }: StepOf<'receive'>): Promise<IssueDone> {
    return this.#with(draft, async (opened, key, proof) => {
      const { codes, sent } = under(opened)
      const answer = await receiveIp(sent.exchange, message, { ...heardBy(proof), ...common(measure) })
      const next = { ...sent, exchange: answer.exchange }
      if (answer.kind === 'waiting') return { kind: 'waiting', seconds: answer.seconds, draft: { ...draft, sent: next } }
      // Kept with the draft: what is measured here is measured again before it is confirmed.
      const told = numbered(codes, idn)
      const heard = { ...(told === codes ? draft : await opened.registered(told)), sent: next }
      try {
        await checked(answer.certificate, key, told, measure, proof)
      } catch (failure) {
        if (!(failure instanceof Refusal)) throw failure
        // Given back: the authority revokes it, and the old one stands (RFC 9810 §5.3.18).
        return reject(heard, answer.certificate, proof, measure, failure.code)
      }
      // The draft's own id: received once more after an interruption, it replaces itself.
      const { keyFile } = opened
      const fresh = await keep(answer.certificate, keyFile, this.#password, this.#rounds, randomBytes, draft.id)
      return { kind: 'offered', record: { ...fresh, backup: 'due' }, draft: heard }
    })
  }

  #poll({ draft, measure }: StepOf<'poll'>): Promise<IssueDone> {
    return this.#with(draft, async (opened, _, proof) => {
      const { sent } = under(opened)
      const at = new Date(measure.at)
      const { bytes, exchange } = await composePollReq(sent.exchange, { ...proof, at })
      return { kind: 'draft', draft: { ...draft, sent: { what: 'pollReq', bytes, exchange, why: null } } }
    })
  }

  /** `record` as it was read back: it opens, its key fits, and every check holds; only then it is confirmed (B10). */
  #confirm(draft: Draft, record: KeptRecord, measure: Measure): Promise<IssueDone> {
    return this.#with(draft, async (opened, _, proof) => {
      const { codes, sent } = under(opened)
      const key = await this.#keyOf(record)
      try {
        await checked(record.certificate, key, numbered(codes, null), measure, proof)
      } finally {
        key.wipe()
      }
      const at = new Date(measure.at)
      const { bytes, exchange } = await composeCertConf(sent.exchange, record.certificate, { ...proof, at })
      return { kind: 'draft', draft: { ...draft, sent: { what: 'certConf', bytes, exchange, why: null } } }
    })
  }

  /**
   * The same message at a newer time: the authority proved that it never took the older one (badTime comes after the
   * repetition of D9), so nothing can be issued twice.
   */
  async #renew({ draft, record, measure }: StepOf<'renew'>): Promise<IssueDone> {
    if (draft.sent?.what === 'certConf' && record !== null) return this.#confirm(draft, record, measure)
    if (draft.sent?.what === 'pollReq') return this.#poll({ step: 'poll', draft, measure })
    if (draft.sent?.what !== 'ir' && draft.sent?.what !== 'kur') throw new Refusal('defect')
    return this.#with(draft, (opened) => this.#request(draft, under(opened).codes, measure))
  }

  #conclude({ draft, message, measure }: StepOf<'conclude'>): Promise<IssueDone> {
    return this.#with(draft, async (opened, _, proof) => {
      const { sent } = under(opened)
      await receivePkiConf(sent.exchange, message, { ...heardBy(proof), ...common(measure) })
      return { kind: 'concluded' }
    })
  }

  async #backup({ record, strong, password }: StepOf<'backup'>): Promise<IssueDone> {
    if (password !== undefined) {
      this.end()
      this.#password = password
    }
    const key = await this.#keyOf(record)
    try {
      const pair = { certificate: record.certificate, pkcs8: key.pkcs8 }
      return { kind: 'pfx', pfx: await writePfx([pair], this.#password, { forBackup: strong }) }
    } finally {
      key.wipe()
    }
  }

  async #passkey({ record, passkey }: StepOf<'passkey'>): Promise<IssueDone> {
    const key = await this.#keyOf(record)
    try {
      return { kind: 'record', record: await withPasskey(record, this.#password, key.pkcs8, passkey) }
    } finally {
      key.wipe()
      wipe(passkey.prf)
    }
  }

  async #keyOf(record: KeptRecord): Promise<PrivateKey> {
    const { keyFile } = await openRecord(record, this.#password, this.#rounds)
    const key = await openKey(keyFile, this.#password)
    key.requireMatch(new Certificate(record.certificate).publicKey)
    return key
  }

  /** Opens a draft and its key for one step, and what our messages are proven by. */
  async #with<T>(draft: Draft, use: (opened: Opened, key: PrivateKey, proof: Proof) => Promise<T>): Promise<T> {
    const known = this.#dek?.id === draft.id ? this.#dek : null
    const opened = known === null ? await openDraft(draft, this.#password) : await openWith(draft, known.key.slice())
    this.#dek ??= { id: draft.id, key: opened.key() }
    try {
      const key = await openKey(opened.keyFile, this.#password)
      try {
        if (spkiHash(key) !== draft.spki) throw new DraftRefused('draft-damaged')
        return await use(opened, key, proofOf(opened))
      } finally {
        key.wipe()
      }
    } finally {
      opened.wipe()
    }
  }
}

/** The old key, whose bytes are overwritten with the draft that it lies in; or the code. */
function proofOf({ old, codes }: Opened): Proof {
  if (old === null) return { code: codes !== null && 'code' in codes ? codes.code : '' }
  return { signer: { certificate: new Certificate(old.certificate), key: new PrivateKey(old.pkcs8) } }
}

function codesOf(told: Told): { reference: string; code: string } {
  if (!('code' in told)) throw new DraftRefused('draft-damaged')
  return { reference: told.reference, code: told.code }
}

/** With the number that a VID is recomputed by. Without it nothing is judged, and the same answer is fetched again. */
function numbered(told: Told, idn: string | null): NumberedMessage {
  if ('idn' in told) return told
  if (idn === null) throw new Refusal('certification-outage')
  return { ...told, idn }
}

/** Whom answers are believed from: whoever has the code, or the authority itself. */
function heardBy(proof: Proof): { code: string | null } {
  return { code: 'signer' in proof ? null : proof.code }
}

function under({ codes, draft }: Opened): { codes: Told; sent: Sent } {
  if (codes === null || draft.sent === null) throw new DraftRefused('draft-damaged')
  return { codes, sent: draft.sent }
}

function anchorsOf({ anchors }: Measure): Certificate[] {
  return anchors.map((each) => new Certificate(each))
}

function common(measure: Measure): { anchors: Certificate[]; at: Date } {
  return { anchors: anchorsOf(measure), at: new Date(measure.at) }
}

/**
 * The checks of B10: chain, key, policy, validity and VID by `checkIssued`, and the name that the VID stands with; of a
 * renewal that it is of the same name and kind as the old one.
 */
async function checked(
  der: Uint8Array,
  key: PrivateKey,
  codes: NumberedMessage,
  measure: Measure,
  proof: Proof,
): Promise<void> {
  const notAfterAtMost = new Date(codes.not_after_at_most)
  const expected = { ...common(measure), policies: measure.policies, key, idn: codes.idn, notAfterAtMost }
  const certificate = await checkIssued(der, expected)
  const named = certificate.identifyData === null ? '' : parseIdentifyData(certificate.identifyData).realName
  if (plain(named) !== plain(measure.holder)) throw new OtherName()
  if (!('signer' in proof)) return
  const old = proof.signer.certificate
  if (!sameName(certificate.subject, old.subject)) throw new OtherName()
  if (certificate.policyOid !== old.policyOid) throw new IssuedRefused('policy')
}

/** Names are compared as the center compares them: composed, without spaces. */
function plain(name: string): string {
  return name.normalize('NFC').replace(/\s/g, '')
}

async function reject(
  draft: Draft & { readonly sent: Sent },
  certificate: Uint8Array,
  proof: Proof,
  measure: Measure,
  why: string,
): Promise<IssueDone> {
  const how = { ...proof, at: new Date(measure.at) }
  const { bytes, exchange } = await composeCertConf(draft.sent.exchange, certificate, how, 'reject')
  return { kind: 'draft', draft: { ...draft, sent: { what: 'reject', bytes, exchange, why } } }
}
