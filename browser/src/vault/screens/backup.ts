/** PFX로 백업: in which form, and from the certificate window with the password (security B12, B16). */

import { el } from '../dom.ts'
import type { Say } from '../words.ts'
import { capsLock, passwordField, revealer, takeBytes } from './password_fields.ts'

/** The two forms; the interoperable one is chosen from the start, and each says in a sentence how strong it is (B16). */
export function backupForms(say: Say): { readonly element: HTMLElement; strong(): boolean } {
  const forms = (['common', 'strong'] as const).map((name) => {
    const id = `backup-${name}`
    const input = el('input', { type: 'radio', name: 'backup-form', id, value: name, 'aria-describedby': `${id}-hint` })
    input.checked = name === 'common'
    const words = el('div', {}, el('label', { for: id }, say(`issue-backup-${name}`)))
    words.append(el('p', { class: 'hint', id: `${id}-hint` }, say(`issue-backup-${name}-hint`)))
    return { input, element: el('div', { class: 'check form' }, input, words) }
  })
  const element = el('fieldset', { class: 'forms' }, el('legend', { class: 'unseen' }, say('issue-backup-form')))
  element.append(...forms.map((each) => each.element))
  return { element, strong: () => forms[1]!.input.checked }
}

/** What came of it: the sentence, and whether it went wrong because of the password, otherwise, or not at all. */
export interface BackupTold {
  readonly text: string
  readonly about: 'password' | 'failure' | 'done'
}

/** The page of the certificate window. `backUp` gets the bytes of the password and overwrites them. */
export function backupPage(say: Say, backUp: (password: Uint8Array, strong: boolean) => Promise<BackupTold>): HTMLElement {
  const reveal = revealer(say, () => [field.input])
  const field = passwordField({ id: 'backup-password', label: say('password'), enter: 'done', aside: reveal.element })
  const forms = backupForms(say)
  const told = el('p', { class: 'told', role: 'status' })
  const go = el('button', { type: 'submit', class: 'primary' }, say('backup-link'))
  const element = el('form', { class: 'use backup-page', novalidate: true }, el('p', {}, say('backup-lead')), field.element)
  element.append(capsLock(say, [field.input]), forms.element, el('div', { class: 'act' }, go), told)
  const press = async (): Promise<void> => {
    if (field.input.value === '') {
      field.wrong(say('password-missing'))
      return field.input.focus()
    }
    const password = takeBytes(field.input)
    reveal.hide()
    told.textContent = say('issue-backup-busy')
    const { text, about } = await backUp(password, forms.strong())
    told.textContent = about === 'password' ? '' : text
    told.classList.toggle('wrong', about === 'failure')
    if (about !== 'password') return
    field.wrong(text)
    field.input.focus()
  }
  let busy = false
  element.addEventListener('submit', (event) => {
    event.preventDefault()
    if (busy) return
    busy = true
    void press().finally(() => (busy = false))
  })
  return element
}
