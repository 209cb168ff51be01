/** The one password prompt of a resume: what was interrupted goes on with it (security B2, B10). */

import { button, el } from '../dom.ts'
import type { Say } from '../words.ts'
import { capsLock, passwordField, revealer, takeBytes } from './password_fields.ts'

export interface UnlockForm {
  readonly element: HTMLElement
  take(): Uint8Array
  wrong(text: string): void
  clear(): void
  focus(): void
  busy(word: string | null): void
}

/** Who is told. `forgotten`, `cancel`: null where there is no such way out. */
export interface UnlockEvents {
  submit(): void
  readonly forgotten: (() => void) | null
  readonly cancel: (() => void) | null
}

/** The form. `lead`: why the password is asked for. */
export function unlockForm(say: Say, lead: string, events: UnlockEvents): UnlockForm {
  const reveal = revealer(say, () => [field.input])
  const field = passwordField({ id: 'password', label: say('password'), enter: 'done', aside: reveal.element })
  const go = el('button', { type: 'submit', class: 'primary' }, say('issue-go-on'))
  const ends = el('div', { class: 'ends inline' }, ...(events.cancel === null ? [] : [button(say('cancel'), 'secondary', events.cancel)]), go)
  const element = el('form', { class: 'use unlock', novalidate: true }, el('p', { class: 'lead' }, lead), field.element)
  element.append(capsLock(say, [field.input]))
  if (events.forgotten !== null) element.append(button(say('issue-forgotten'), 'link', events.forgotten))
  else element.append(el('p', { class: 'hint' }, say('issue-forgotten-late')))
  element.append(ends)
  element.addEventListener('submit', (event) => {
    event.preventDefault()
    if (field.input.value !== '') return events.submit()
    field.wrong(say('password-missing'))
    field.input.focus()
  })
  const clear = (): void => {
    field.input.value = ''
    reveal.hide()
  }
  return {
    element,
    take: () => {
      const bytes = takeBytes(field.input)
      reveal.hide()
      return bytes
    },
    wrong: (text) => {
      field.wrong(text)
      field.input.focus()
    },
    clear,
    focus: () => field.input.focus(),
    busy: (word) => {
      element.setAttribute('aria-busy', String(word !== null))
      go.replaceChildren(...(word === null ? [say('issue-go-on')] : [el('span', { class: 'spinner' }), word]))
    },
  }
}
