/** 복사 완료: what is here now, and on the receiving device the password tried at once, if the person wants (M-COPY-07, C14). */

import type { Lang } from '../customers.ts'
import { button, el, show } from '../dom.ts'
import type { KeptRecord } from '../record.ts'
import type { Say } from '../words.ts'
import { copyFacts } from './copy_facts.ts'
import { capsLock, passwordField, revealer, takeBytes } from './password_fields.ts'

/** Who is told. */
export interface CopiedEvents {
  /** The bytes of the password, which are moved away. */
  attempt(password: Uint8Array): void
  done(): void
}

export interface CopiedScreen {
  readonly element: HTMLElement
  /** What became of a try. `about`: beside the field, as an end of the card, or as good news. */
  told(text: string, about: 'password' | 'failure' | 'good'): void
  busy(busy: boolean): void
  clear(): void
}

/** `record`: null on the sending device, which keeps what it had. `kept`: whether the browser promised not to clear it. */
export interface CopiedOptions {
  readonly say: Say
  readonly lang: Lang
  readonly certificate: Uint8Array
  readonly record: KeptRecord | null
  readonly kept: boolean
  readonly other: string
  readonly events: CopiedEvents
}

export function copiedScreen(options: CopiedOptions): CopiedScreen {
  const { say, lang, certificate, record, kept, other, events } = options
  const heading = el('h2', { class: 'issued-title', tabindex: '-1', id: 'copied' }, say('copy-copied'))
  const lead = record === null ? say('copy-copied-there', { device: other }) : say('copy-copied-here')
  const element = el('div', { class: 'copied' }, heading, el('p', { class: 'copied-lead' }, lead))
  element.append(copyFacts(certificate, lang, say, new Date()))
  const trial = record === null ? null : trialCard(say, events)
  if (trial !== null) element.append(el('p', { class: 'hint persisted' }, say(kept ? 'copy-persisted' : 'copy-not-persisted')), trial.element)
  element.append(el('div', { class: 'ends inline' }, button(say('copy-done'), 'primary', events.done)))
  return {
    element,
    told: (text, about) => trial?.told(text, about),
    busy: (busy) => trial?.busy(busy),
    clear: () => trial?.clear(),
  }
}

function trialCard(say: Say, events: CopiedEvents): CopiedScreen {
  const reveal = revealer(say, () => [field.input])
  const field = passwordField({ id: 'try-password', label: say('password'), enter: 'done', aside: reveal.element })
  const go = el('button', { type: 'submit', class: 'secondary' }, say('copy-try'))
  const told = el('p', { class: 'told', role: 'status' })
  const form = el('form', { class: 'use', novalidate: true }, field.element, capsLock(say, [field.input]))
  form.append(el('div', { class: 'act' }, go))
  const chip = el('span', { class: 'chip' }, say('copy-try-optional'))
  const title = el('h3', {}, say('copy-try-title'), ' ', chip)
  const element = el('section', { class: 'issued-card try' }, title, el('p', { class: 'hint' }, say('copy-try-text')), form, told)
  let busy = false
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    if (busy) return
    if (field.input.value !== '') {
      reveal.hide()
      return events.attempt(takeBytes(field.input))
    }
    field.wrong(say('password-missing'))
    field.input.focus()
  })
  return {
    element,
    told: (text, about) => {
      told.textContent = about === 'password' ? '' : text
      told.classList.toggle('wrong', about === 'failure')
      if (about === 'password') {
        field.wrong(text)
        return field.input.focus()
      }
      show(form, about !== 'good')
      chip.textContent = about === 'good' ? say('copy-try-good') : chip.textContent
      chip.classList.toggle('chip-good', about === 'good')
    },
    busy: (now) => {
      busy = now
      form.setAttribute('aria-busy', String(now))
      if (now) told.textContent = say('working')
    },
    clear: () => {
      field.input.value = ''
      reveal.hide()
    },
  }
}
