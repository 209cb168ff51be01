/**
 * Where the certificate desk draws, inside the center's page: one screen at a time, and how high it is.
 *
 * A change of screen takes the focus to its heading, where the person is in this frame; what was typed in the screen of
 * before goes with it.
 */

import type { Facts } from '../pure/failure.ts'
import type { Lang } from './customers.ts'
import { el } from './dom.ts'
import { type Say, saying, sentence } from './words.ts'

/** A screen that may hold what somebody typed. */
export interface Screen {
  readonly element: HTMLElement
  clear?(): void
}

export class ManageView {
  readonly say: Say
  readonly #lang: Lang
  readonly #box = el('div', { class: 'issue copy manage' })
  readonly #status = el('p', { role: 'status', class: 'unseen', id: 'status' })
  readonly #watch: ResizeObserver
  #screen: Screen | null = null

  constructor(lang: Lang, size: (height: number) => void) {
    this.#lang = lang
    this.say = saying(lang)
    document.documentElement.lang = lang
    document.documentElement.classList.add('inline')
    document.title = this.say('manage-frame-title')
    const heading = el('h1', { class: 'unseen' }, document.title)
    const main = el('main', { class: 'inline-main' }, heading, this.#box, this.#status)
    document.body.replaceChildren(main)
    this.#watch = new ResizeObserver(() => size(Math.ceil(main.getBoundingClientRect().height)))
    this.#watch.observe(main)
  }

  /** The sentence of a code, in the desk's own words first. */
  sentence(code: string, facts: Facts = {}): string {
    return sentence(this.#lang, code, facts, 'manage-why')
  }

  announce(text: string): void {
    this.#status.textContent = text
  }

  /** Another screen. */
  show(screen: Screen): void {
    if (screen !== this.#screen) this.#screen?.clear?.()
    this.#screen = screen
    this.announce('')
    this.#box.replaceChildren(screen.element)
    const head = screen.element.querySelector<HTMLElement>('#task')
    if (document.hasFocus()) head?.focus()
    this.#box.scrollIntoView({ block: 'nearest' })
  }

  shows(screen: Screen): boolean {
    return screen === this.#screen
  }

  /** Takes everything away, what was typed first. */
  close(): void {
    this.#screen?.clear?.()
    this.#watch.disconnect()
    document.body.replaceChildren()
  }
}
