/** A page laid over the window's own for a while (인증서 보기, 도움말): a heading, its content, and the way back. */

import { button, el, show } from '../dom.ts'
import type { Say } from '../words.ts'

/** Shows pages over `main`; Esc and the button go back, and the focus returns to where it was. */
export class Aside {
  readonly element: HTMLElement
  readonly #main: HTMLElement
  readonly #say: Say
  #from: HTMLElement | null = null

  constructor(main: HTMLElement, say: Say) {
    this.#main = main
    this.#say = say
    this.element = el('div', { class: 'aside', hidden: true })
  }

  get open(): boolean {
    return !this.element.hidden
  }

  show(title: string, ...content: readonly Node[]): void {
    this.#from = document.activeElement instanceof HTMLElement ? document.activeElement : null
    const heading = el('h2', { tabindex: '-1', id: 'aside-title' }, title)
    const back = button(this.#say('back'), 'secondary back', () => this.back())
    this.element.replaceChildren(heading, ...content, el('div', { class: 'ends' }, back))
    this.#turn(true)
    heading.focus()
  }

  back(): void {
    this.#turn(false)
    this.element.replaceChildren()
    this.#from?.focus()
  }

  #turn(aside: boolean): void {
    show(this.element, aside)
    show(this.#main, !aside)
  }
}
