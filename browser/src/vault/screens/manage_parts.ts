/** What the screens of the certificate desk share: which certificate it is about, its password, and the way back. */

import { Certificate } from '../../pure/npki/certificate.ts'
import { issuerName, lookupPolicy } from '../../pure/npki/policies.ts'
import { displayName } from '../../pure/npki/subject.ts'
import type { Lang } from '../customers.ts'
import { button, el } from '../dom.ts'
import type { Entry } from '../entries.ts'
import { day, type Say } from '../words.ts'
import { capsLock, passwordField, type PasswordField, revealer, takeBytes } from './password_fields.ts'

/** The heading of a task, which takes the focus. */
export function taskHeading(text: string): HTMLElement {
  return el('h2', { class: 'copy-title', tabindex: '-1', id: 'task' }, text)
}

/** Owner, use, issuer and end in one small list; of a PFX before its password its file's name. */
export function briefly({ certificate, fileName }: Entry, lang: Lang, say: Say): HTMLElement {
  const pairs = certificate === null ? [['detail-file', fileName] as const] : pairsOf(certificate, lang, say)
  const rows = pairs.map(([name, text]) => el('div', {}, el('dt', {}, say(name)), el('dd', { 'data-fact': name }, text)))
  return el('dl', { class: 'details manage-brief' }, ...rows)
}

/** The same of its DER. */
export function brieflyOf(der: Uint8Array, lang: Lang, say: Say): HTMLElement {
  return briefly({ id: '', certificate: new Certificate(der), source: null, trouble: null, fileName: '' }, lang, say)
}

function pairsOf(certificate: Certificate, lang: Lang, say: Say): readonly (readonly [string, string])[] {
  const { issuer, subject, policyOid, notAfter } = certificate
  return [
    ['column-owner', displayName(subject)],
    ['column-use', lookupPolicy(issuer, policyOid)?.name[lang] ?? say('use-unknown')],
    ['column-issuer', issuerName(issuer, lang)],
    ['column-until', day(notAfter)],
  ]
}

/** The certificate's password with its hint, as every task asks for it. */
export interface OwnPassword {
  readonly element: HTMLElement
  readonly field: PasswordField
  /** UTF-8; the field is empty afterwards. */
  take(): Uint8Array
  clear(): void
  /** Says that it is missing, where it is. */
  missing(): boolean
}

export function ownPassword(say: Say, label = 'password', id = 'password'): OwnPassword {
  const reveal = revealer(say, () => [field.input])
  const hint = `${id}-hint`
  const field = passwordField({ id, label: say(label), describedBy: hint, enter: 'done', aside: reveal.element })
  field.element.append(capsLock(say, [field.input]), el('p', { class: 'hint', id: hint }, say('password-hint')))
  return {
    element: field.element,
    field,
    take: () => {
      reveal.hide()
      return takeBytes(field.input)
    },
    clear: () => {
      field.input.value = ''
      reveal.hide()
    },
    missing: () => {
      if (field.input.value !== '') return false
      field.wrong(say('password-missing'))
      field.input.focus()
      return true
    },
  }
}

/** A form of one task: submitting it does nothing else, and its button says that it works. */
export interface TaskForm {
  readonly element: HTMLFormElement
  busy(word: string | null): void
}

/** `back`: the way to the list. */
export function taskForm(say: Say, go: string, back: () => void, submit: () => void, ...content: readonly Node[]): TaskForm {
  const send = el('button', { type: 'submit', class: 'primary' }, say(go))
  const ends = el('div', { class: 'ends inline' }, button(say('cancel'), 'secondary', back), send)
  const element = el('form', { class: 'use', novalidate: true }, ...content, ends)
  element.addEventListener('submit', (event) => {
    event.preventDefault()
    if (element.getAttribute('aria-busy') !== 'true') submit()
  })
  return {
    element,
    busy: (word) => {
      element.setAttribute('aria-busy', String(word !== null))
      send.replaceChildren(...(word === null ? [say(go)] : [el('span', { class: 'spinner' }), word]))
    },
  }
}

/** A button that copies a text and says so. */
export function copier(say: Say, what: string, text: string, announce: (text: string) => void): HTMLButtonElement {
  const made = button(say('copy'), 'link small no-print', () => {
    navigator.clipboard.writeText(text).then(
      () => announce(say('copied')),
      () => announce(say('manage-copy-failed')),
    )
  })
  made.setAttribute('aria-label', `${say('copy')}: ${what}`)
  return made
}
