/**
 * The twelve digits as the receiving device shows them: three boxes of four with one label (security C5, M-COPY-02).
 *
 * Only typing or pasting fills them, and only a press of the button begins: no link, no message, no autofill.
 */

import { button, el, show } from '../dom.ts'
import type { Say } from '../words.ts'

const BOXES = 3
const DIGITS = 4

/** Who is told. `other`: the way by QR: showing one on a PC, reading one on a phone. */
export interface NumberEvents {
  typed(digits: string): void
  other(): void
  cancel(): void
}

export interface NumberScreen {
  readonly element: HTMLElement
  focus(): void
}

/** The form. `here`: which way by QR there is. */
export function numberScreen(say: Say, here: 'pc' | 'phone', device: string | null, events: NumberEvents): NumberScreen {
  const boxes = Array.from({ length: BOXES }, (_, at) => box(say, at))
  const wrong = el('p', { id: 'number-wrong', class: 'wrong', role: 'alert', hidden: true })
  const group = el('div', { class: 'number-boxes', role: 'group', 'aria-labelledby': 'number-label number-hint' }, ...boxes)
  const label = el('h2', { id: 'number-label', class: 'copy-title' }, say('copy-number-title'))
  const hint = el('p', { id: 'number-hint', class: 'hint' }, say('copy-number-hint'))
  const to = device === null ? [] : [el('p', { class: 'copy-device' }, say('copy-to', { device }))]
  const go = el('button', { type: 'submit', class: 'primary' }, say('copy-connect'))
  const ends = el('div', { class: 'ends inline' }, button(say('cancel'), 'secondary', events.cancel), go)
  const way = button(say(here === 'pc' ? 'copy-show-qr' : 'copy-scan'), 'secondary wide', events.other)
  const element = el('form', { class: 'copy-number', novalidate: true, autocomplete: 'off' }, label, ...to, hint, group, wrong)
  element.append(ends, el('p', { class: 'or' }, say('copy-or')), way)
  const tell = (text: string): void => {
    wrong.textContent = text
    show(wrong, text !== '')
    for (const each of boxes) each.toggleAttribute('aria-invalid', text !== '')
  }
  wire(boxes, () => tell(''))
  element.addEventListener('submit', (event) => {
    event.preventDefault()
    const digits = boxes.map((each) => each.value).join('')
    if (digits.length === BOXES * DIGITS) return events.typed(digits)
    tell(say('copy-number-short'))
    const open = boxes.find((each) => each.value.length < DIGITS)
    open?.focus()
  })
  return { element, focus: () => boxes[0]!.focus() }
}

function box(say: Say, at: number): HTMLInputElement {
  return el('input', {
    type: 'text',
    inputmode: 'numeric',
    // Not `one-time-code`: nothing that came by message may be put in (C5).
    autocomplete: 'off',
    autocapitalize: 'none',
    spellcheck: 'false',
    id: `number-${at + 1}`,
    'aria-label': say('copy-number-box', { n: at + 1 }),
    'aria-describedby': 'number-wrong',
    enterkeyhint: at === BOXES - 1 ? 'done' : 'next',
  })
}

/** The digits of a text as people type them: spaces, hyphens and full-width figures are no trouble. */
export function digitsOf(text: string): string {
  return text.normalize('NFKC').replace(/\D/g, '')
}

/** Digits flow over into the next boxes, and Backspace goes back. */
function wire(boxes: readonly HTMLInputElement[], changed: () => void): void {
  boxes.forEach((each, at) => {
    each.addEventListener('input', (event) => {
      changed()
      // While an input method composes, the text is not yet what it will be.
      if (!(event as InputEvent).isComposing) spread(boxes, at)
    })
    each.addEventListener('compositionend', () => spread(boxes, at))
    each.addEventListener('focus', () => each.select())
    each.addEventListener('keydown', (event) => {
      const before = boxes[at - 1]
      if (event.key !== 'Backspace' || each.value !== '' || before === undefined) return
      event.preventDefault()
      before.value = before.value.slice(0, -1)
      before.focus()
      before.setSelectionRange(before.value.length, before.value.length)
    })
  })
}

function spread(boxes: readonly HTMLInputElement[], from: number): void {
  let rest = digitsOf(boxes[from]!.value)
  let at = from
  for (; at < boxes.length && (rest !== '' || at === from); at += 1) {
    boxes[at]!.value = rest.slice(0, DIGITS)
    rest = rest.slice(DIGITS)
  }
  const last = boxes[at - 1]!
  const next = last.value.length === DIGITS ? (boxes[at] ?? last) : last
  if (next !== document.activeElement) next.focus()
}
