/**
 * What the person sees of an issue, inside the center's page: no window of its own, one screen for each state.
 *
 * Drawing only. A change of screen takes the focus to what is to be done or read next and is told to a screen reader.
 */

import type { Facts } from '../pure/failure.ts'
import type { Lang } from './customers.ts'
import { button, el } from './dom.ts'
import { mayBeIssued, type State, type Trouble } from './issue_machine.ts'
import type { KeptRecord } from './record.ts'
import { issuedScreen, type IssuedScreen } from './screens/issued.ts'
import type { Conduct } from './issue_desk.ts'
import type { NewPasswordForm } from './screens/new_password.ts'
import { unlockForm, type UnlockForm } from './screens/unlock.ts'
import { type Say, sentence } from './words.ts'

/** Where the making of a key stands, told by a word each. */
export const MAKING = ['making', 'keeping', 'checking'] as const
export type Making = (typeof MAKING)[number]

/** Who is told of what the person does. */
export interface IssueEvents {
  chosen(): void
  typed(): void
  forgotten(): void
  again(): void
  retry(): void
  cancel(): void
  backup(strong: boolean): void
  passkey(): void
  done(): void
}

/** The screens of one issue. `size` hears how high the content is. */
export class IssueView {
  readonly say: Say
  readonly #lang: Lang
  readonly #profile: string
  readonly #conduct: Pick<Conduct, 'say' | 'form'>
  readonly #events: IssueEvents
  readonly #box = el('div', { class: 'issue' })
  readonly #status = el('p', { role: 'status', class: 'unseen', id: 'status' })
  readonly #watch: ResizeObserver
  /** Whether this device can unlock by a passkey; known by the time anybody is asked. */
  passkey = false
  form: NewPasswordForm | null = null
  unlock: UnlockForm | null = null
  issued: IssuedScreen | null = null

  constructor(
    lang: Lang,
    profile: string,
    events: IssueEvents,
    size: (height: number) => void,
    conduct: Pick<Conduct, 'say' | 'form'>,
  ) {
    this.#lang = lang
    this.#conduct = conduct
    this.say = conduct.say(lang)
    this.#profile = profile
    this.#events = events
    document.documentElement.lang = lang
    document.documentElement.classList.add('inline')
    document.title = this.say('issue-frame-title')
    // The page has the heading that is seen; whoever comes into the frame by a screen reader finds one here.
    const heading = el('h1', { class: 'unseen' }, document.title)
    const main = el('main', { class: 'inline-main' }, heading, this.#box, this.#status)
    document.body.replaceChildren(main)
    this.#watch = new ResizeObserver(() => size(Math.ceil(main.getBoundingClientRect().height)))
    this.#watch.observe(main)
  }

  /** The sentence of a failure, or the authority's own words for it. */
  sentence(trouble: Trouble): string {
    return trouble.texts?.[this.#lang] ?? this.words(trouble.code, trouble.facts)
  }

  /** The sentence of a code: this conversation's own wording first. */
  words(code: string, facts: Facts = {}): string {
    return sentence(this.#lang, code, facts)
  }

  /** Draws a state. */
  draw(state: State): void {
    // The prompt stays while its password is tried.
    if (state.at === 'unlocking' || (state.at === 'resuming' && this.unlock !== null)) return
    if (state.at === 'issued' && this.issued !== null) return this.issued.update(state.record)
    this.#clear()
    switch (state.at) {
      case 'opening':
        return this.#progress('issue-opening')
      case 'unable':
        return this.#unable(state.trouble)
      case 'choosing':
        return this.#choosing(state.trouble)
      case 'making':
        return this.making('making')
      case 'resuming':
        return this.#resuming(state)
      case 'made':
        return this.#line(this.say('issue-made'))
      case 'asking':
      case 'weighing':
        return this.#progress(state.at === 'asking' ? 'issue-asking' : 'issue-weighing')
      case 'sent':
        return state.trouble === null ? this.#progress('issue-sent') : this.#trouble(state.trouble)
      case 'issued':
        return this.#issued(state.record, state.kept)
      case 'stopped':
        return this.#stopped(state.trouble, state.certain)
      case 'over':
        return
    }
  }

  /** Where the making stands. */
  making(step: Making): void {
    this.#progress(`issue-${step}`)
  }

  #clear(): void {
    this.form?.clear()
    this.unlock?.clear()
    this.form = this.unlock = this.issued = null
  }

  #put(...content: readonly Node[]): void {
    this.#box.replaceChildren(...content)
  }

  #progress(name: string): void {
    const text = this.say(name)
    this.#put(el('p', { class: 'progress' }, el('span', { class: 'spinner', 'aria-hidden': 'true' }), text))
    this.#status.textContent = text
  }

  #line(text: string): void {
    this.#put(el('p', { class: 'line-ok' }, text))
    this.#status.textContent = text
  }

  #choosing(trouble: Trouble | null): void {
    const { say } = this
    const sentence = (code: string): string => this.words(code)
    this.form = this.#conduct.form(say, { submit: this.#events.chosen, cancel: this.#events.cancel, sentence })
    this.#put(...(trouble === null ? [] : [this.#alert(this.sentence(trouble))]), this.form.element)
    this.#status.textContent = ''
    // The page has its own start; the field takes the focus only where the person was in this frame already.
    if (document.hasFocus()) this.form.focus()
  }

  #resuming(state: Extract<State, { at: 'resuming' }>): void {
    const late = mayBeIssued(state)
    const free = state.anew && !late
    this.unlock = unlockForm(this.say, this.say(late ? 'issue-resume-late' : 'issue-resume'), {
      submit: this.#events.typed,
      forgotten: free ? this.#events.forgotten : null,
      cancel: free ? this.#events.cancel : null,
    })
    this.#put(this.unlock.element)
    this.#status.textContent = ''
    this.unlock.focus()
  }

  #unable(trouble: Trouble): void {
    const retry = button(this.say('issue-retry'), 'primary', this.#events.retry)
    const cancel = button(this.say('cancel'), 'secondary', this.#events.cancel)
    this.#put(this.#alert(this.sentence(trouble)), el('div', { class: 'ends inline' }, cancel, retry))
  }

  #trouble(trouble: Trouble): void {
    const again = button(this.say('issue-again'), 'primary', this.#events.again)
    const text = el('p', { class: 'hint' }, this.say('issue-again-hint'))
    this.#put(this.#alert(this.sentence(trouble)), text, el('div', { class: 'ends inline' }, again))
    again.focus()
  }

  #stopped(trouble: Trouble, certain: boolean): void {
    const text = el('p', { class: 'hint' }, this.say(certain ? 'issue-stopped' : 'issue-uncertain'))
    const done = button(this.say('issue-leave'), 'primary', this.#events.done)
    this.#put(this.#alert(this.sentence(trouble)), text, el('div', { class: 'ends inline' }, done))
    done.focus()
  }

  #issued(record: KeptRecord, kept: boolean): void {
    const { say } = this
    this.issued = issuedScreen({
      say,
      lang: this.#lang,
      profile: this.#profile,
      record,
      kept,
      passkey: this.passkey,
      backup: this.#events.backup,
      setPasskey: this.#events.passkey,
      done: this.#events.done,
    })
    this.#put(this.issued.element)
    this.#status.textContent = ''
    document.getElementById('issued')?.focus()
  }

  #alert(text: string): HTMLElement {
    return el('p', { class: 'alert', role: 'alert' }, text)
  }

  /** Takes everything away, what was typed first. */
  close(): void {
    this.#clear()
    this.#watch.disconnect()
    document.body.replaceChildren()
  }
}
