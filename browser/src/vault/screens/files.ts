/** Bringing files in: a folder, two files or a .pfx, by button or by dropping them on the window (security B14). */

import { button, el, show } from '../dom.ts'
import type { Picked } from '../entries.ts'
import { pickedByDrop, pickedByInput } from '../picking.ts'
import type { Say } from '../words.ts'

/** The area with its buttons, and the message under it. */
export interface FileArea {
  readonly element: HTMLElement
  /** Small once certificates are listed above it. */
  compact(small: boolean): void
  /** A word while a slow medium is read. */
  reading(slow: boolean): void
  focus(): void
}

/** Makes the area. `bring` gets what was picked; it may be slow, which the caller tells. */
export function fileArea(say: Say, onPhone: boolean, bring: (picked: Promise<readonly Picked[]>) => void): FileArea {
  const folder = picker({ id: 'folder', webkitdirectory: true, 'aria-label': say('pick-folder') }, bring)
  const files = picker({ id: 'files', multiple: true, 'aria-label': say('pick-files') }, bring)
  const buttons = [
    button(say('pick-folder'), 'secondary', () => folder.click()),
    button(say('pick-files'), 'secondary', () => files.click()),
  ]
  // Phones have no NPKI folder, and most cannot pick one.
  show(buttons[0]!, !onPhone)
  const lead = el('p', { class: 'drop-lead' }, say(onPhone ? 'files-lead-phone' : 'files-lead'))
  const hint = el('p', { class: 'hint' }, say('files-hint'))
  const row = el('div', { class: 'pick' }, ...buttons)
  const reading = el('p', { class: 'reading', role: 'status' })
  const element = el('div', { class: 'drop' }, lead, row, hint, reading, folder, files)
  return {
    element,
    compact: (small) => element.classList.toggle('compact', small),
    reading: (slow) => {
      reading.textContent = slow ? say('reading') : ''
    },
    focus: () => buttons[onPhone ? 1 : 0]!.focus(),
  }
}

function picker(
  attributes: Readonly<Record<string, string | boolean>>,
  bring: (picked: Promise<readonly Picked[]>) => void,
): HTMLInputElement {
  // Out of the tab order: its button opens it.
  const input = el('input', { type: 'file', hidden: true, tabindex: '-1', ...attributes })
  input.addEventListener('change', () => {
    bring(Promise.resolve(pickedByInput(input)))
    // Else the same file, picked again after a repair, would say nothing.
    input.value = ''
  })
  return input
}

/** The whole window takes drops. */
export function takeDrops(target: HTMLElement, bring: (picked: Promise<readonly Picked[]>) => void): void {
  let inside = 0
  const mark = (change: number): void => {
    inside = Math.max(0, inside + change)
    target.classList.toggle('dropping', inside > 0)
  }
  target.addEventListener('dragenter', (event) => {
    event.preventDefault()
    mark(1)
  })
  target.addEventListener('dragleave', () => mark(-1))
  // Without these two a dropped file would open in the place of the window (HTML, drag-and-drop processing model).
  target.addEventListener('dragover', (event) => event.preventDefault())
  target.addEventListener('drop', (event) => {
    event.preventDefault()
    mark(-inside)
    if (event.dataTransfer !== null) bring(pickedByDrop(event.dataTransfer))
  })
}
