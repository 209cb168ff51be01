/** 가상키보드로 입력 below a password of the vault: drawn from the vault's own randomness (security E13). */

import { el } from '../vault/dom.ts'
import { localLayout } from '../pure/keypad/layout.ts'
import { randomBytes } from '../pure/platform.ts'
import { Keypad } from './keypad.ts'
import { LocalField } from './local_field.ts'
import { saying } from './words.ts'

/** The line with its box and the panel's place. `kind`: `digits` for a PIN. */
export function localKeypad(input: HTMLInputElement, label: string, kind: 'digits' | 'text' = 'text'): HTMLElement {
  const say = saying()
  const field = new LocalField(input)
  const id = `${input.id}-keypad`
  const box = el('input', { type: 'checkbox', id })
  const keypad = new Keypad({
    field,
    box,
    label,
    kind,
    open: false,
    say,
    // Keys lie elsewhere each time the panel is opened.
    layout: () => {
      const layout = localLayout(kind, randomBytes)
      field.use(layout)
      return Promise.resolve(layout)
    },
  })
  const line = el('p', { class: 'keypad' }, el('label', { for: id }, box, ` ${say('box')}`))
  return el('div', { class: 'keypad-line' }, line, keypad.element)
}
