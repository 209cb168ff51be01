/** What the last screen offers: a file for a backup, and unlocking by the phone; each changes the kept record (B9, B16). */

import { Refusal } from '../pure/failure.ts'
import { Certificate } from '../pure/npki/certificate.ts'
import { displayName } from '../pure/npki/subject.ts'
import type { Lang } from './customers.ts'
import type { Trouble } from './issue_machine.ts'
import type { IssueAnswer, IssueDone, IssueStep } from './issue_steps.ts'
import type { IssueView } from './issue_view.ts'
import { makePasskey } from './passkey.ts'
import { pfxName, save } from './pfx_file.ts'
import type { KeptRecord } from './record.ts'
import { replace } from './store.ts'

/** A step of the worker that failed. `failInfo`: of a proven refusal of the authority, else null. */
export class StepFailed extends Error {
  readonly trouble: Trouble
  readonly failInfo: readonly string[] | null

  constructor({ code, facts, texts, failInfo }: Extract<IssueAnswer, { ok: false }>) {
    super(code)
    this.name = 'StepFailed'
    this.trouble = { code, facts, texts }
    this.failInfo = failInfo
  }
}

/** The offers of one issue. `step`: has the worker do one, and throws StepFailed; `changed` hears of a stored record. */
export class Offers {
  readonly #view: IssueView
  readonly #lang: Lang
  readonly #step: (step: IssueStep) => Promise<IssueDone>
  readonly #changed: (record: KeptRecord) => void
  /** The kept certificate, once there is one. */
  record: KeptRecord | null = null
  #busy = false

  constructor(
    view: IssueView,
    lang: Lang,
    step: (step: IssueStep) => Promise<IssueDone>,
    changed: (record: KeptRecord) => void,
  ) {
    this.#view = view
    this.#lang = lang
    this.#step = step
    this.#changed = changed
  }

  /** PFX로 백업. */
  backup(strong: boolean): Promise<void> {
    return this.#offering('backup', async (record) => {
      const done = await this.#step({ step: 'backup', record, strong })
      if (done.kind !== 'pfx') throw new Refusal('defect')
      save(done.pfx, pfxName(new Certificate(record.certificate), this.#lang))
      return { ...record, backup: 'done' }
    })
  }

  /** 휴대폰 잠금해제 설정. */
  passkey(): Promise<void> {
    return this.#offering('passkey', async (record) => {
      // First, while the press still counts as one: a worker's answer would come too late for it.
      const passkey = await makePasskey(displayName(new Certificate(record.certificate).subject))
      const done = await this.#step({ step: 'passkey', record, passkey })
      if (done.kind !== 'record') throw new Refusal('defect')
      return done.record
    })
  }

  async #offering(what: 'backup' | 'passkey', act: (record: KeptRecord) => Promise<KeptRecord>): Promise<void> {
    const screen = this.#view.issued
    const record = this.record
    // One at a time: the later of two would store the record without what the earlier one changed.
    if (screen === null || record === null || this.#busy) return
    this.#busy = true
    screen.busy(what, true)
    try {
      const fresh = await act(record)
      if (!(await replace(fresh))) throw new Refusal('cannot-keep')
      this.record = fresh
      this.#changed(fresh)
      screen.told(what, this.#view.say(`issue-${what}-told`), false)
    } catch (failure) {
      if (!(failure instanceof Refusal) && !(failure instanceof StepFailed)) throw failure
      const code = failure instanceof Refusal ? failure.code : failure.trouble.code
      screen.told(what, this.#view.words(code), true)
    } finally {
      this.#busy = false
      screen.busy(what, false)
    }
  }
}
