/**
 * Issuing, from the new key to the confirmed certificate: what the worker does, step by step (security B10, B11, D1).
 *
 * ⑤ make → the window stores and reads back → check (it opens to the same key) → `made`
 * ⑥ request (ir) → the window stores → sent … receive → checks → sealed with its key → the window stores and reads back
 *   → confirm (it opens, the key fits, every check again) → the window stores → sent … conclude.
 * Between the steps stay the password and the key of the draft; private key, R and codes are opened in one step and
 * overwritten at its end.
 */

import { composeCertConf, composeIr, composePollReq, receiveIp, receivePkiConf } from '../pure/cmp/exchange.ts'
import { Refusal } from '../pure/failure.ts'
import { checkNewPassword } from '../pure/npki/cert_password.ts'
import { Certificate } from '../pure/npki/certificate.ts'
import { checkEncryption, checkIssued } from '../pure/npki/chain.ts'
import { openKey, sealKey } from '../pure/npki/key_file.ts'
import { makeKey, sameKey, spkiHash } from '../pure/npki/new_key.ts'
import { writePfx } from '../pure/npki/pfx.ts'
import type { PrivateKey } from '../pure/npki/private_key.ts'
import { parseIdentifyData } from '../pure/npki/vid.ts'
import { wipe } from '../pure/octets.ts'
import { fromUtf8, randomBytes } from '../pure/platform.ts'
import { begin, type Draft, DraftRefused, type Opened, openDraft, openWith, type Sent } from './draft.ts'
import type { RegisteredMessage } from './issue_messages.ts'
import type { IssueDone, IssueStep, Measure } from './issue_steps.ts'
import { keep, type KeptRecord, openRecord, withPasskey } from './record.ts'

/** The certificate is another person's by name: code `issued-other-name`. */
export class OtherName extends Refusal {
  constructor() {
    super('issued-other-name')
    this.name = 'OtherName'
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

  #request(draft: Draft, registered: RegisteredMessage, measure: Measure): Promise<IssueDone> {
    return this.#with(draft, async (opened, key) => {
      const at = new Date(measure.at)
      const encryption = await checkEncryption(measure.encryption, anchorsOf(measure), at)
      const { reference, code } = registered
      const { bytes, exchange } = await composeIr({ reference, code, key, encryption, padding: 'oaep', at })
      const kept = await opened.registered(registered)
      return { kind: 'draft', draft: { ...kept, sent: { what: 'ir', bytes, exchange, why: null } } }
    })
  }

  #receive({ draft, message, measure }: StepOf<'receive'>): Promise<IssueDone> {
    return this.#with(draft, async (opened, key) => {
      const { codes, sent } = under(opened)
      const answer = await receiveIp(sent.exchange, message, { code: codes.code, ...common(measure) })
      const heard = { ...draft, sent: { ...sent, exchange: answer.exchange } }
      if (answer.kind === 'waiting') return { kind: 'waiting', seconds: answer.seconds, draft: heard }
      try {
        await checked(answer.certificate, key, codes, measure)
      } catch (failure) {
        if (!(failure instanceof Refusal)) throw failure
        // Given back: the authority revokes it, and the old one stands (RFC 9810 §5.3.18).
        return reject(heard, answer.certificate, codes, measure, failure.code)
      }
      // The draft's own id: received once more after an interruption, it replaces itself.
      const { keyFile } = opened
      const fresh = await keep(answer.certificate, keyFile, this.#password, this.#rounds, randomBytes, draft.id)
      return { kind: 'offered', record: { ...fresh, backup: 'due' }, draft: heard }
    })
  }

  #poll({ draft, measure }: StepOf<'poll'>): Promise<IssueDone> {
    return this.#with(draft, async (opened) => {
      const { codes, sent } = under(opened)
      const at = new Date(measure.at)
      const { bytes, exchange } = await composePollReq(sent.exchange, { code: codes.code, at })
      return { kind: 'draft', draft: { ...draft, sent: { what: 'pollReq', bytes, exchange, why: null } } }
    })
  }

  /** `record` as it was read back: it opens, its key fits, and every check holds; only then it is confirmed (B10). */
  #confirm(draft: Draft, record: KeptRecord, measure: Measure): Promise<IssueDone> {
    return this.#with(draft, async (opened) => {
      const { codes, sent } = under(opened)
      const key = await this.#keyOf(record)
      try {
        await checked(record.certificate, key, codes, measure)
      } finally {
        key.wipe()
      }
      const at = new Date(measure.at)
      const { bytes, exchange } = await composeCertConf(sent.exchange, record.certificate, { code: codes.code, at })
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
    if (draft.sent?.what !== 'ir') throw new Refusal('defect')
    return this.#with(draft, (opened) => this.#request(draft, under(opened).codes, measure))
  }

  #conclude({ draft, message, measure }: StepOf<'conclude'>): Promise<IssueDone> {
    return this.#with(draft, async (opened) => {
      const { codes, sent } = under(opened)
      await receivePkiConf(sent.exchange, message, { code: codes.code, ...common(measure) })
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

  /** Opens a draft and its key for one step. */
  async #with<T>(draft: Draft, use: (opened: Opened, key: PrivateKey) => Promise<T>): Promise<T> {
    const known = this.#dek?.id === draft.id ? this.#dek : null
    const opened = known === null ? await openDraft(draft, this.#password) : await openWith(draft, known.key.slice())
    this.#dek ??= { id: draft.id, key: opened.key() }
    try {
      const key = await openKey(opened.keyFile, this.#password)
      try {
        if (spkiHash(key) !== draft.spki) throw new DraftRefused('draft-damaged')
        return await use(opened, key)
      } finally {
        key.wipe()
      }
    } finally {
      opened.wipe()
    }
  }
}

function under({ codes, draft }: Opened): { codes: RegisteredMessage; sent: Sent } {
  if (codes === null || draft.sent === null) throw new DraftRefused('draft-damaged')
  return { codes, sent: draft.sent }
}

function anchorsOf({ anchors }: Measure): Certificate[] {
  return anchors.map((each) => new Certificate(each))
}

function common(measure: Measure): { anchors: Certificate[]; at: Date } {
  return { anchors: anchorsOf(measure), at: new Date(measure.at) }
}

/** The checks of B10: chain, key, policy, validity and VID by `checkIssued`, and the name that the VID stands with. */
async function checked(der: Uint8Array, key: PrivateKey, codes: RegisteredMessage, measure: Measure): Promise<void> {
  const notAfterAtMost = new Date(codes.not_after_at_most)
  const expected = { ...common(measure), policies: measure.policies, key, idn: codes.idn, notAfterAtMost }
  const certificate = await checkIssued(der, expected)
  const named = certificate.identifyData === null ? '' : parseIdentifyData(certificate.identifyData).realName
  if (plain(named) !== plain(measure.holder)) throw new OtherName()
}

/** Names are compared as the center compares them: composed, without spaces. */
function plain(name: string): string {
  return name.normalize('NFC').replace(/\s/g, '')
}

async function reject(
  draft: Draft & { readonly sent: Sent },
  certificate: Uint8Array,
  codes: RegisteredMessage,
  measure: Measure,
  why: string,
): Promise<IssueDone> {
  const how = { code: codes.code, at: new Date(measure.at) }
  const { bytes, exchange } = await composeCertConf(draft.sent.exchange, certificate, how, 'reject')
  return { kind: 'draft', draft: { ...draft, sent: { what: 'reject', bytes, exchange, why } } }
}
