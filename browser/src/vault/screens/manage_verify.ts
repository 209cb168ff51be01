/** 유효성 검증: each check with its verdict and where that comes from; the password is asked for the key alone (W7). */

import type { Lang } from '../customers.ts'
import { button, el } from '../dom.ts'
import type { Entry } from '../entries.ts'
import type { Verdict } from '../manage_messages.ts'
import type { Say } from '../words.ts'
import { briefly, type OwnPassword, ownPassword, taskForm, type TaskForm, taskHeading } from './manage_parts.ts'

/** The checks in the order in which they are shown. */
export const SHOWN = ['form', 'key', 'path', 'period', 'policy', 'here', 'status'] as const
export type Shown = (typeof SHOWN)[number]

/** What a line says. `waits`: its answer is on the way; `no`: it is not so, which is no fault of the certificate's. */
export interface Finding {
  readonly verdict: Verdict | 'waits' | 'no'
  readonly text: string
}

export interface VerifyEvents {
  tryKey(password: Uint8Array): void
  /** The center is to be asked about the state. */
  ask(): void
  print(): void
  back(): void
}

export class VerifyScreen {
  readonly element: HTMLElement
  readonly #say: Say
  readonly #lines: ReadonlyMap<Shown, { readonly line: HTMLElement; readonly chip: HTMLElement; readonly text: HTMLElement }>
  readonly #sum = el('p', { class: 'manage-sum', role: 'status' })
  readonly #asking: HTMLElement
  readonly #password: OwnPassword
  readonly #form: TaskForm
  readonly #found = new Map<Shown, Finding>()

  constructor(entry: Entry, lang: Lang, say: Say, events: VerifyEvents) {
    this.#say = say
    this.#lines = new Map(SHOWN.map((name) => [name, checkLine(say(`manage-check-${name}`), name)]))
    this.#password = ownPassword(say)
    const submit = (): void => {
      if (!this.#password.missing()) events.tryKey(this.#password.take())
    }
    this.#form = taskForm(say, 'manage-try-key', events.back, submit, el('p', { class: 'lead' }, say('manage-try-lead')), this.#password.element)
    // Cancelling is going back, which stands below.
    this.#form.element.querySelector('.ends .secondary')?.remove()
    this.#form.element.classList.add('no-print')
    const ask = button(say('manage-status-ask'), 'secondary', events.ask)
    ask.setAttribute('aria-describedby', 'ask-hint')
    const ends = el('div', { class: 'ends inline no-print' }, button(say('manage-print'), 'secondary', events.print))
    ends.append(button(say('manage-to-list'), 'primary', events.back))
    const list = el('ol', { class: 'manage-checks' }, ...[...this.#lines.values()].map(({ line }) => line))
    const hint = el('p', { class: 'hint', id: 'ask-hint' }, say('manage-status-ask-hint'))
    this.#asking = el('div', { class: 'manage-ask no-print' }, hint, ask)
    this.#asking.hidden = true
    this.#lines.get('status')?.line.append(this.#asking)
    const heading = taskHeading(say('manage-verify-title'))
    this.element = el('div', {}, heading, briefly(entry, lang, say), this.#sum, list, this.#form.element, ends)
  }

  /** What one check found. */
  set(name: Shown, finding: Finding): void {
    this.#found.set(name, finding)
    const line = this.#lines.get(name)
    if (line === undefined) return
    line.line.dataset['verdict'] = finding.verdict
    line.chip.className = `chip ${CHIPS[finding.verdict]}`
    line.chip.textContent = this.#say(`manage-verdict-${finding.verdict}`)
    line.text.textContent = finding.text
    this.#summarise()
  }

  #summarise(): void {
    const found = [...this.#found.values()].map(({ verdict }) => verdict)
    const waits = found.includes('waits')
    const sum = waits ? 'waits' : found.includes('bad') ? 'bad' : found.includes('open') ? 'open' : 'good'
    this.#sum.dataset['verdict'] = sum
    this.#sum.textContent = this.#say(`manage-sum-${sum}`)
  }

  /** There is a certificate to ask the center about. */
  askable(): void {
    this.#asking.hidden = false
  }

  busy(word: string | null): void {
    this.#form.busy(word)
  }

  wrong(text: string): void {
    this.#password.field.wrong(text)
    this.#password.field.input.focus()
  }

  /** The key was looked at: nothing more is asked. */
  keyDone(): void {
    this.#form.element.hidden = true
    const last = this.#lines.get('key')?.line
    last?.focus()
  }

  clear(): void {
    this.#password.clear()
  }
}

const CHIPS: Readonly<Record<Finding['verdict'], string>> = {
  good: 'chip-good',
  bad: 'chip-expired',
  open: 'chip-soon',
  waits: 'chip-unknown',
  no: 'chip-unknown',
}

function checkLine(title: string, name: Shown): { line: HTMLElement; chip: HTMLElement; text: HTMLElement } {
  const chip = el('span', { class: 'chip' })
  const text = el('p', { class: 'hint' })
  const line = el('li', { 'data-check': name, tabindex: '-1' }, el('div', {}, el('strong', {}, title), chip), text)
  return { line, chip, text }
}
