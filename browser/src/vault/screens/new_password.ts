/** ⑤공동인증서 비밀번호 등록: the password twice, its rule as a list that fills while typing, and how strong it is. */

import { brokenRules, type PasswordFault } from '../../pure/npki/cert_password.ts'
import { button, el } from '../dom.ts'
import { type Level, strengthOf } from '../strength.ts'
import type { Say } from '../words.ts'
import { capsLock, passwordField, revealer, takeBytes } from './password_fields.ts'

/** The lines of the list and what of the rule each of them stands for; `same` is the last line. */
const LINES: readonly (readonly [string, readonly PasswordFault[]])[] = [
  ['length', ['cert-password-length', 'cert-password-kinds']],
  ['forbidden', ['cert-password-forbidden', 'cert-password-ascii']],
  ['sequence', ['cert-password-sequence']],
]
const QUIET_MS = 900

export interface NewPasswordForm {
  readonly element: HTMLElement
  /** The bytes; the fields are empty afterwards. */
  take(): Uint8Array
  clear(): void
  focus(): void
}

/** Who is told. `submit` only where the rule is kept and both are the same. `sentence`: the text of a code. */
export interface NewPasswordEvents {
  submit(): void
  cancel(): void
  sentence(code: string): string
}

/** What another task asks beside it. `before`: stands above the two fields; `fine`: whether that is filled in rightly. */
export interface NewPasswordOptions {
  readonly go?: string
  readonly hint?: string
  readonly before?: readonly HTMLElement[]
  fine?(first: string): boolean
}

/** The two fields with their rule, for whatever form they stand in. */
export interface NewPasswordFields {
  readonly nodes: readonly HTMLElement[]
  /** Whether both are right; else it is said what is wrong, and the focus is there. */
  fine(): boolean
  /** What stands in the first of them. */
  typed(): string
  take(): Uint8Array
  clear(): void
  focus(): void
}

/** The form. Pressing the button is always possible: it says what is missing. */
export function newPasswordForm(say: Say, events: NewPasswordEvents, options: NewPasswordOptions = {}): NewPasswordForm {
  const fields = newPasswordFields(say, events.sentence)
  const ends = el(
    'div',
    { class: 'ends inline' },
    button(say('cancel'), 'secondary', events.cancel),
    el('button', { type: 'submit', class: 'primary' }, say(options.go ?? 'issue-go')),
  )
  const hints = el('p', { class: 'hint' }, say(options.hint ?? 'issue-password-hint'))
  const element = el('form', { class: 'use new-password', novalidate: true })
  element.append(...(options.before ?? []), ...fields.nodes, hints, ends)
  element.addEventListener('submit', (event) => {
    event.preventDefault()
    if (options.fine?.(fields.typed()) === false) return
    if (fields.fine()) events.submit()
  })
  return { element, take: () => fields.take(), clear: () => fields.clear(), focus: () => fields.focus() }
}

/** The fields. `sentence`: the text of a code. */
export function newPasswordFields(say: Say, sentence: (code: string) => string): NewPasswordFields {
  const reveal = revealer(say, () => [first.input, second.input])
  const first = passwordField({
    id: 'new-password',
    label: say('issue-password'),
    describedBy: 'rules strength',
    enter: 'next',
    aside: reveal.element,
  })
  const second = passwordField({ id: 'new-password-again', label: say('issue-password-again'), enter: 'done' })
  const list = ruleList(say)
  const strength = el('p', { id: 'strength', class: 'strength' })
  const caps = capsLock(say, [first.input, second.input])
  const told = el('p', { role: 'status', class: 'unseen' })
  let quiet: ReturnType<typeof setTimeout> | undefined
  const look = (): void => {
    const missing = list.look(first.input.value, second.input.value)
    paint(strength, say, first.input.value)
    clearTimeout(quiet)
    // A list that fills is seen; what is left of it is told once the typing pauses.
    quiet = setTimeout(() => {
      told.textContent = first.input.value === '' ? '' : say(missing === 0 ? 'issue-rules-met' : 'issue-rules-left', { n: missing })
    }, QUIET_MS)
  }
  for (const field of [first, second]) field.input.addEventListener('input', look)
  const clear = (): void => {
    clearTimeout(quiet)
    first.input.value = second.input.value = ''
    reveal.hide()
    look()
  }
  look()
  return {
    nodes: [first.element, strength, list.element, second.element, caps, told],
    fine: () => fine(first, second, sentence),
    typed: () => first.input.value,
    take: () => {
      const bytes = takeBytes(first.input, second.input)
      clear()
      return bytes
    },
    clear,
    focus: () => first.input.focus(),
  }
}

type Field = ReturnType<typeof passwordField>

/** Whether both are right; else what is wrong stands beside the field, which gets the focus. */
function fine(first: Field, second: Field, sentence: (code: string) => string): boolean {
  const [broken] = brokenRules(first.input.value)
  if (broken !== undefined) return refuse(first, sentence(broken))
  if (first.input.value !== second.input.value) return refuse(second, sentence('cert-password-differs'))
  return true
}

function refuse(field: Field, text: string): false {
  field.wrong(text)
  field.input.focus()
  return false
}

interface RuleList {
  readonly element: HTMLElement
  /** Marks the lines; how many are not met. */
  look(password: string, again: string): number
}

function ruleList(say: Say): RuleList {
  const names = [...LINES.map(([name]) => name), 'same']
  const lines = names.map((name) => {
    const state = el('span', { class: 'unseen' })
    return { state, line: el('li', { 'data-rule': name }, say(`issue-rule-${name}`), ' ', state) }
  })
  const title = el('p', { class: 'rules-title' }, say('issue-rules'))
  const element = el('div', { class: 'rules', id: 'rules' }, title, el('ul', {}, ...lines.map(({ line }) => line)))
  return {
    element,
    look: (password, again) => {
      const broken = brokenRules(password)
      const kept = LINES.map(([, faults]) => password !== '' && !faults.some((each) => broken.includes(each)))
      const met = [...kept, password !== '' && password === again]
      lines.forEach(({ state, line }, at) => {
        line.classList.toggle('met', met[at])
        state.textContent = say(met[at] === true ? 'issue-rule-met' : 'issue-rule-open')
      })
      return met.filter((each) => !each).length
    },
  }
}

function paint(strength: HTMLElement, say: Say, password: string): void {
  const level: Level | null = password === '' ? null : strengthOf(password)
  strength.dataset['level'] = level ?? ''
  strength.textContent = level === null ? '' : say('issue-strength', { level: say(`issue-strength-${level}`) })
}
