/** 내보내기: in which shape and how strong, the password, and then the files that were read back (W7, B16). */

import type { Lang } from '../customers.ts'
import { button, el } from '../dom.ts'
import type { Entry } from '../entries.ts'
import type { Shape, Wish } from '../manage_work.ts'
import type { Say } from '../words.ts'
import { backupForms } from './backup.ts'
import { briefly, ownPassword, taskForm, taskHeading } from './manage_parts.ts'

export interface ExportScreen {
  readonly element: HTMLElement
  busy(word: string | null): void
  wrong(text: string): void
  alert(text: string): void
  clear(): void
}

export interface ExportEvents {
  make(password: Uint8Array, wish: Wish): void
  back(): void
}

export function exportScreen(entry: Entry, lang: Lang, say: Say, events: ExportEvents): ExportScreen {
  const shapes = shapeChoice(say)
  const forms = backupForms(say)
  const password = ownPassword(say)
  const alert = el('p', { class: 'alert', role: 'alert', hidden: true })
  const submit = (): void => {
    if (!password.missing()) events.make(password.take(), { shape: shapes.shape(), strong: forms.strong() })
  }
  const fields = [shapes.element, el('h3', {}, say('manage-strength')), forms.element, password.element]
  const form = taskForm(say, 'manage-export-go', events.back, submit, ...fields)
  const heading = taskHeading(say('manage-export-title'))
  return {
    element: el('div', {}, heading, briefly(entry, lang, say), el('p', { class: 'hint' }, say('manage-export-lead')), alert, form.element),
    busy: (word) => form.busy(word),
    wrong: (text) => {
      password.field.wrong(text)
      password.field.input.focus()
    },
    alert: (text) => {
      alert.textContent = text
      alert.hidden = text === ''
    },
    clear: password.clear,
  }
}

function shapeChoice(say: Say): { readonly element: HTMLElement; shape(): Shape } {
  const inputs = (['pfx', 'pair'] as const).map((name) => {
    const id = `shape-${name}`
    const input = el('input', { type: 'radio', name: 'shape', id, value: name, 'aria-describedby': `${id}-hint` })
    input.checked = name === 'pfx'
    const words = el('div', {}, el('label', { for: id }, say(`manage-shape-${name}`)))
    words.append(el('p', { class: 'hint', id: `${id}-hint` }, say(`manage-shape-${name}-hint`)))
    return { input, element: el('div', { class: 'check form' }, input, words) }
  })
  const element = el('fieldset', { class: 'forms' }, el('legend', {}, say('manage-shape')), ...inputs.map((each) => each.element))
  return { element, shape: () => (inputs[1]!.input.checked ? 'pair' : 'pfx') }
}

/** A file to save, as it is called in the folder of downloads. */
export interface OfferedFile {
  readonly name: string
  save(): void
}

/** What was made, was opened again, and can now be saved; each by a press of its own, which every browser allows. */
export function filesScreen(say: Say, title: string, hints: readonly string[], files: readonly OfferedFile[], back: () => void): HTMLElement {
  const told = el('p', { class: 'told', role: 'status' })
  const rows = files.map(({ name, save }) => {
    const press = button(say('manage-save'), 'primary', () => {
      save()
      told.textContent = say('manage-saved', { name })
    })
    press.setAttribute('aria-label', `${say('manage-save')}: ${name}`)
    return el('li', {}, el('code', {}, name), press)
  })
  const list = el('ul', { class: 'manage-offered' }, ...rows)
  const notes = hints.map((each) => el('p', { class: 'hint' }, each))
  const ends = el('div', { class: 'ends inline' }, button(say('manage-to-list'), 'secondary', back))
  return el('div', {}, taskHeading(title), ...notes, list, told, ends)
}
