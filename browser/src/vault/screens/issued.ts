/** ⑥ done: 소유자·일련번호·만료일, the file for a backup, unlocking by the phone, and the way on (M7, B9, B12, B16). */

import { Certificate } from '../../pure/npki/certificate.ts'
import { issuerName, lookupPolicy } from '../../pure/npki/policies.ts'
import { displayName } from '../../pure/npki/subject.ts'
import { button, el, show } from '../dom.ts'
import type { Lang } from '../customers.ts'
import { type KeptRecord, passkeySlot } from '../record.ts'
import { day, type Say } from '../words.ts'
import { backupForms } from './backup.ts'

export interface IssuedScreen {
  readonly element: HTMLElement
  /** Redraws what depends on the record. */
  update(record: KeptRecord): void
  /** What became of a press, beside its button. */
  told(what: 'backup' | 'passkey', text: string, bad: boolean): void
  busy(what: 'backup' | 'passkey', busy: boolean): void
}

/** What the screen shows. `passkey`: whether this device can; `backup` and `passkey` presses may fail and be repeated. */
export interface IssuedOptions {
  readonly say: Say
  readonly lang: Lang
  readonly profile: string
  readonly record: KeptRecord
  readonly kept: boolean
  readonly passkey: boolean
  backup(strong: boolean): void
  setPasskey(): void
  done(): void
}

export function issuedScreen(options: IssuedOptions): IssuedScreen {
  const { say, record, kept } = options
  const certificate = new Certificate(record.certificate)
  const lead = say('issue-issued', { date: day(certificate.notAfter) })
  const heading = el('h2', { class: 'issued-title', tabindex: '-1', id: 'issued' }, lead)
  const persisted = el('p', { class: 'hint persisted' }, say(kept ? 'issue-persisted' : 'issue-not-persisted'))
  const backup = backupCard(options)
  const passkey = passkeyCard(options)
  const done = button(say('issue-done'), 'primary', options.done)
  const element = el('div', { class: 'issued' }, heading, facts(certificate, options), persisted, backup.element)
  element.append(passkey.element, el('div', { class: 'ends inline' }, done))
  show(passkey.element, options.passkey)
  const cards = { backup, passkey }
  const update = (fresh: KeptRecord): void => {
    backup.mark(fresh.backup === 'done')
    passkey.mark(passkeySlot(fresh) !== null)
    done.classList.toggle('secondary', fresh.backup !== 'done')
    done.classList.toggle('primary', fresh.backup === 'done')
  }
  update(record)
  return {
    element,
    update,
    told: (what, text, bad) => cards[what].told(text, bad),
    busy: (what, busy) => cards[what].busy(busy),
  }
}

function facts(certificate: Certificate, { say, lang, profile }: IssuedOptions): HTMLElement {
  const use = lookupPolicy(certificate.issuer, certificate.policyOid)?.name[lang] ?? profile
  const pairs: readonly (readonly [string, string])[] = [
    ['owner', displayName(certificate.subject)],
    ['use', use],
    ['serial', certificate.serial.toString(16).toUpperCase()],
    ['until', day(certificate.notAfter)],
    ['issuer', issuerName(certificate.issuer, lang)],
  ]
  const named = (name: string): string => (name === 'until' ? say('column-until') : say(`detail-${name}`))
  const rows = pairs.map(([name, text]) => el('div', {}, el('dt', {}, named(name)), el('dd', { 'data-fact': name }, text)))
  return el('dl', { class: 'details' }, ...rows)
}

interface Card {
  readonly element: HTMLElement
  mark(done: boolean): void
  told(text: string, bad: boolean): void
  busy(busy: boolean): void
}

function card(options: IssuedOptions, what: 'backup' | 'passkey', press: () => void, ...more: readonly Node[]): Card {
  const { say } = options
  const chip = el('span', { class: 'chip' })
  const title = el('h3', {}, say(`issue-${what}-title`), ' ', chip)
  const act = button(say(`issue-${what}`), 'secondary', press)
  const told = el('p', { class: 'told', role: 'status' })
  const text = el('p', { class: 'hint' }, say(`issue-${what}-text`))
  const element = el('section', { class: `issued-card ${what}` }, title, text, ...more, el('div', { class: 'act' }, act), told)
  return {
    element,
    mark: (done) => {
      chip.textContent = say(done ? `issue-${what}-done` : `issue-${what}-due`)
      chip.classList.toggle('chip-good', done)
      chip.classList.toggle('chip-soon', !done && what === 'backup')
      if (what === 'backup') {
        act.classList.toggle('primary', !done)
        act.classList.toggle('secondary', done)
      }
      act.textContent = say(done ? `issue-${what}-again` : `issue-${what}`)
    },
    told: (sentence, bad) => {
      told.textContent = sentence
      told.classList.toggle('wrong', bad)
    },
    busy: (busy) => {
      element.setAttribute('aria-busy', String(busy))
      if (busy) told.textContent = say(`issue-${what}-busy`)
    },
  }
}

function backupCard(options: IssuedOptions): Card {
  const forms = backupForms(options.say)
  return card(options, 'backup', () => options.backup(forms.strong()), forms.element)
}

function passkeyCard(options: IssuedOptions): Card {
  return card(options, 'passkey', options.setPasskey)
}
