/** What the page itself shows while a certificate is copied: which panel, which step, and what went wrong. */

import { failedBy } from './copy_asking.ts'
import { sentence } from './sentences.ts'

export type Shown = 'receiver' | 'factor' | 'vault' | 'copied' | 'over' | 'stopped' | 'none'

/** After these nothing goes on by itself: whoever scrolled away is brought to what came of it. */
const ENDS: ReadonlySet<Shown> = new Set(['copied', 'over', 'stopped'])

export interface Way {
  readonly word: string
  press(): void
}

export class CopyScreen {
  readonly section: HTMLElement
  readonly #error: HTMLElement
  readonly #way: HTMLElement
  #shown: Shown = 'none'
  #paired = false

  constructor(section: HTMLElement) {
    this.section = section
    this.#error = section.querySelector<HTMLElement>('[data-copy-error]') ?? made(section, 'issue-error', 'alert')
    this.#way = section.querySelector<HTMLElement>('[data-copy-way]') ?? made(section, 'issue-way', null)
  }

  get shown(): Shown {
    return this.#shown
  }

  /** A text of the page, `data-say-…`; `#` in it is filled. */
  say(name: string, filling = ''): string {
    const key = `say-${name}`.replaceAll(/-([a-z])/gu, (_, letter: string) => letter.toUpperCase())
    return (this.section.dataset[key] ?? '').replace('#', filling)
  }

  /** Shows a panel with its step; the focus follows where the person's own act led there, and to every end. */
  show(what: Shown, focus: boolean): void {
    const fresh = what !== this.#shown
    this.#shown = what
    for (const each of document.querySelectorAll<HTMLElement>('[data-copy-shown]')) {
      each.hidden = each.dataset['copyShown'] !== what
    }
    this.#introduce()
    this.#step(what)
    if (!fresh) return
    this.clear()
    const beside = this.section.querySelector(`[data-copy-shown="${what}"] [data-copy-errors]`)
    if (beside !== null) beside.append(this.#error, this.#way)
    else this.section.querySelector('[data-copy-frame]')?.before(this.#error, this.#way)
    if (!focus && !ENDS.has(what)) return
    this.section.querySelector<HTMLElement>(`[data-copy-shown="${what}"] [data-copy-head]`)?.focus({ preventScroll: true })
    document.querySelector('main')?.scrollIntoView({ block: 'start' })
  }

  /** Who shows and who types, or no longer: the devices have found each other. */
  intro(shown: boolean): void {
    this.#paired = !shown
    this.#introduce()
  }

  #introduce(): void {
    const last = ENDS.has(this.#shown)
    for (const each of this.section.querySelectorAll<HTMLElement>('[data-copy-intro]')) each.hidden = last || this.#paired
    for (const each of this.section.querySelectorAll<HTMLElement>('[data-copy-until-end]')) each.hidden = last
  }

  /** The step alone: where the vault's frame says the rest. */
  step(what: Shown): void {
    this.#step(what)
  }

  #step(what: Shown): void {
    const steps = [...document.querySelectorAll<HTMLElement>('[data-copy-step]')]
    if (!steps.some((each) => each.dataset['copyStep'] === what)) return
    for (const each of steps) each.hidden = each.dataset['copyStep'] !== what
  }

  /** Why it is over, in its panel. */
  why(text: string): void {
    for (const each of this.section.querySelectorAll<HTMLElement>('[data-copy-why]')) each.textContent = text
  }

  /** A request failed: its sentence, and the way on. Who is logged out is led to the login by the page itself. */
  failed(failure: unknown, again: (() => void) | null): void {
    const failed = failedBy(failure)
    const reload = (): void => location.reload()
    const press = failed.kind === 'out' ? reload : failed.kind === 'away' ? again : null
    this.fail(failed.sentence || sentence(failed.code), press === null ? null : { word: this.say('retry'), press })
  }

  /** It is over for this page, and why. */
  ended(text: string): void {
    this.why(text)
    this.show('over', false)
  }

  fail(text: string, way: Way | null): void {
    this.#error.textContent = text
    this.#way.replaceChildren()
    if (way !== null) this.#offer(way)
    this.#error.scrollIntoView({ block: 'nearest' })
  }

  #offer(way: Way): void {
    const button = document.createElement('button')
    button.type = 'button'
    button.className = 'secondary'
    button.textContent = way.word
    button.addEventListener('click', () => {
      this.clear()
      way.press()
    })
    this.#way.append(button)
  }

  clear(): void {
    this.#error.textContent = ''
    this.#way.replaceChildren()
  }

  /** While something is under way its buttons do nothing; after half a second the pressed one says so. */
  async busy<T>(part: HTMLElement, button: HTMLElement | null, work: () => Promise<T>): Promise<T | null> {
    if (part.getAttribute('aria-busy') === 'true') return null
    part.setAttribute('aria-busy', 'true')
    const idle = button?.textContent ?? ''
    const patience = setTimeout(() => {
      if (button !== null) button.textContent = button.dataset['busy'] ?? this.say('working')
    }, 500)
    try {
      return await work()
    } finally {
      clearTimeout(patience)
      if (button !== null) button.textContent = idle
      part.removeAttribute('aria-busy')
    }
  }
}

function made(section: HTMLElement, className: string, role: string | null): HTMLElement {
  const element = document.createElement('p')
  element.className = className
  if (role !== null) element.setAttribute('role', role)
  section.querySelector('[data-copy-frame]')?.before(element)
  return element
}
