/** 삭제: the word is typed, and it is said that nothing is revoked by it and what else is lost (W7). */

import { button, el } from '../dom.ts'
import type { Lang } from '../customers.ts'
import type { Entry } from '../entries.ts'
import type { Say } from '../words.ts'
import { briefly, taskHeading } from './manage_parts.ts'

export interface RemoveEvents {
  remove(): void
  export(): void
  revoke(): void
  back(): void
}

/** `last`: whether no file of it is known to have been saved from here. */
export function removeScreen(entry: Entry, lang: Lang, say: Say, last: boolean, events: RemoveEvents): HTMLElement {
  const word = say('manage-remove-word')
  const input = el('input', { type: 'text', id: 'remove-word', autocomplete: 'off', autocapitalize: 'none', spellcheck: 'false', 'aria-describedby': 'remove-wrong' })
  const wrong = el('p', { class: 'wrong', id: 'remove-wrong', role: 'alert', hidden: true })
  const sure = el('button', { type: 'submit', class: 'danger' }, say('remove-sure'))
  const ends = el('div', { class: 'ends inline' }, button(say('cancel'), 'secondary', events.back), sure)
  const field = el('div', { class: 'field' }, el('label', { for: 'remove-word' }, say('manage-remove-type', { word })), input, wrong)
  const form = el('form', { class: 'use', novalidate: true }, field, ends)
  const tell = (text: string): void => {
    wrong.textContent = text
    wrong.hidden = text === ''
    if (text === '') input.removeAttribute('aria-invalid')
    else input.setAttribute('aria-invalid', 'true')
  }
  input.addEventListener('input', () => tell(''))
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    if (input.value.trim().toLowerCase() === word.toLowerCase()) return events.remove()
    tell(say('manage-remove-wrong', { word }))
    input.focus()
  })
  const revoke = el('p', {}, say('manage-remove-text'), ' ', button(say('manage-to-revocation'), 'link', events.revoke))
  const parts = [taskHeading(say('manage-remove-title')), briefly(entry, lang, say), revoke]
  if (last) {
    const text = el('p', { class: 'copy-warning' }, say('manage-remove-last'), ' ', button(say('manage-remove-export'), 'link', events.export))
    parts.push(text)
  }
  return el('div', {}, ...parts, form)
}
