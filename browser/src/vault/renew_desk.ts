/**
 * The conduct of a renewal: as of an issue (issue_desk.ts), but the old certificate is chosen and opened first (D10).
 *
 * The old key is given up last: the new record was stored, read back and opened, and the authority has its confirmation.
 * A 간편비밀번호 of the old record goes with it (B8): it belongs to that record, and the new one has none until it is set.
 */

import type { Tell } from './channel.ts'
import { Choosing } from './copy_choosing.ts'
import { Certificate } from '../pure/npki/certificate.ts'
import { isSelfIssued } from '../pure/npki/chain.ts'
import { sameName } from '../pure/npki/subject.ts'
import { Refusal } from '../pure/failure.ts'
import { fromBase64 } from './base64.ts'
import type { Draft } from './draft.ts'
import type { Entry } from './entries.ts'
import { type Conduct, IssueDesk } from './issue_desk.ts'
import type { Trouble } from './issue_machine.ts'
import type { IssueStep } from './issue_steps.ts'
import type { FromVault, Lang } from './messages.ts'
import { PinUse } from './pin.ts'
import { pinLine } from './pin_line.ts'
import { pinSlot } from './record.ts'
import { asIssue, type RenewMessage } from './renew_messages.ts'
import type { NewPasswordEvents, NewPasswordForm } from './screens/new_password.ts'
import { RenewScreen } from './screens/renew_choose.ts'
import type { Origins } from './settings.ts'
import { type Renewable, standingToRenew } from './standing_to_renew.ts'
import { recordOf, remove } from './store.ts'
import { TRIES } from './tries.ts'
import { words } from '../generated/words.ts'
import { type Say, saying } from './words.ts'

/** One renewal, from the `renew` message to its end. */
export class RenewDesk extends IssueDesk {
  constructor(origins: Origins, tell: Tell, id: string, renew: RenewMessage) {
    super(origins, tell, id, asIssue(renew), new Renewing(renew, new PinUse(pinLine(tell, () => id), origins.center)))
  }
}

class Renewing implements Conduct {
  readonly #renew: RenewMessage
  readonly #pin: PinUse
  readonly #choosing: Choosing
  readonly #began = performance.now()
  /** What is being renewed, and under which password of its own, from the press to the making. */
  #entry: Entry | null = null
  #fresh: Uint8Array | null = null

  constructor(renew: RenewMessage, pin: PinUse) {
    this.#renew = renew
    this.#pin = pin
    const authorities = renew.anchors.map((each) => new Certificate(fromBase64(each))).filter((each) => !isSelfIssued(each))
    const given: Renewable = {
      own: new Map(renew.own.map(({ fingerprint, standing }) => [fingerprint, standing])),
      ours: (one) => authorities.some((each) => sameName(each.subject, one.issuer)),
      policies: renew.policies,
      days: renew.window_days,
    }
    this.#choosing = new Choosing((entry) => standingToRenew(entry, given, this.#now()))
  }

  #now(): Date {
    return new Date(Date.parse(this.#renew.now) + performance.now() - this.#began)
  }

  /** A text of a renewal where there is one, else that of an issue. */
  say(lang: Lang): Say {
    const say = saying(lang)
    return (name, facts) => {
      const own = name.replace(/^issue-/, 'renew-')
      return say(`vault.${own}` in words[lang] ? own : name, facts)
    }
  }

  form(say: Say, { submit, cancel, sentence }: NewPasswordEvents): NewPasswordForm {
    const screen = new RenewScreen(say, this.#renew.lang, {
      choose: (id) => {
        this.#choosing.choose(id)
        screen.mark(id)
      },
      bring: (picked) => void this.#choosing.bring(picked, screen),
      submit: () => {
        if (this.#fits(screen)) submit()
      },
      cancel,
      sentence,
    })
    void this.#choosing.begin().then(() => this.#choosing.draw(screen))
    return screen
  }

  /** Whether everything stands that a key is made with. */
  #fits(screen: RenewScreen): boolean {
    const line = this.#choosing.chosen()
    if (line === null) return screen.missing()
    if (!line.standing.usable) return screen.refuse(line)
    const rest = this.#choosing.rest(line.entry)
    if (rest > 0) return screen.wrong('renew-resting', { m: rest })
    if (!screen.typed()) return false
    this.#entry = line.entry
    this.#fresh = screen.takeFresh()
    return true
  }

  step(flow: string, created: number, password: Uint8Array): IssueStep {
    const source = this.#entry?.source ?? null
    if (source === null) throw new Refusal('defect')
    const fresh = this.#fresh
    this.#fresh = null
    const among = this.#renew.own.filter(({ standing }) => standing === 'valid').map(({ fingerprint }) => fingerprint)
    return { step: 'renewal', flow, created, source, among, password, fresh }
  }

  trouble(trouble: Trouble): Trouble {
    const entry = this.#entry
    if (entry === null || trouble.code !== 'wrong-password') return trouble
    const { wrong, last } = this.#choosing.wrong(entry)
    return { code: last ? 'renew-wrong-last' : 'renew-wrong', facts: { n: wrong, max: TRIES }, texts: null }
  }

  made(id: string, { spki, old }: Draft): FromVault {
    if (old === undefined) throw new Refusal('defect')
    if (this.#entry !== null) this.#choosing.right(this.#entry)
    return { kind: 'renewing', id, spki, fingerprint: new Certificate(old.certificate).fingerprintHex }
  }

  async ended({ id, old }: Draft): Promise<void> {
    const record = old?.record ?? null
    if (record === null || record === id) return
    const before = await recordOf(record)
    await remove(record).catch(() => undefined)
    const slot = before === null ? null : pinSlot(before)
    if (slot !== null) await this.#pin.abandon(slot.handle)
  }
}
