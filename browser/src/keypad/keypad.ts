/**
 * A field with its keypad: the box that switches it on, the panel that opens where the field is entered, and what is
 * told to a screen reader. Nothing closes by itself while somebody points at what lies below; only one is open at a time.
 */

import { button, el, show } from '../vault/dom.ts'
import type { Layout } from '../pure/keypad/layout.ts'
import { choose, chosen } from './choice.ts'
import type { Field } from './field.ts'
import { Pad } from './pad.ts'
import type { Say } from './words.ts'

/** What a keypad needs. `layout`: asked for each time the panel opens; rejects where there is none. */
export interface Keyed<K> {
  readonly field: Field<K>
  readonly box: HTMLInputElement
  readonly label: string
  readonly kind: 'digits' | 'text'
  /** Whether the screen opens it by itself, for somebody who chose nothing yet. */
  readonly open: boolean
  readonly layout: () => Promise<Layout<K>>
  readonly say: Say
  /** Switched on or off. */
  readonly turned?: (on: boolean) => void
}

let shown: { close(): void } | null = null

export class Keypad<K extends string> {
  /** Stands below the line of the box. */
  readonly element: HTMLElement
  readonly #keyed: Keyed<K>
  readonly #panel = el('div', { class: 'pad', role: 'group', hidden: true })
  readonly #status = el('p', { class: 'unseen', role: 'status' })
  readonly #read: HTMLButtonElement
  #pad: Pad<K> | null = null
  #layout: Layout<K> | null = null
  #opening = false
  #quiet = false

  constructor(keyed: Keyed<K>) {
    this.#keyed = keyed
    const { say, box, field, label } = keyed
    this.#panel.setAttribute('aria-label', say('of', { label }))
    this.#read = button(say('read'), 'pad-read', () => this.#turnReading())
    this.#read.setAttribute('aria-pressed', String(chosen('read', false)))
    this.element = el('div', { class: 'pad-place' }, this.#panel, this.#status)
    this.#panel.addEventListener('mousedown', (event) => this.#keepFocus(event))
    this.#panel.addEventListener('keydown', (event) => this.#escape(event))
    box.addEventListener('change', () => this.#switched())
    field.input.addEventListener('focus', () => this.#entered())
    field.input.addEventListener('click', () => this.#entered())
    field.input.addEventListener('keydown', (event) => this.#inField(event))
    box.checked = chosen(keyed.kind, keyed.open)
    this.#turn()
  }

  /** Takes the panel away; the field keeps what it has. */
  close(): void {
    this.#panel.hidden = true
    this.#status.textContent = ''
    if (shown === this) shown = null
  }

  /** Draws the keys anew, for another layout. */
  redraw(): void {
    this.#layout = null
    if (!this.#panel.hidden) void this.#open()
  }

  #turn(): void {
    const { field, box, turned } = this.#keyed
    const on = box.checked
    if (!field.turn(on)) this.#tell('turned-off')
    if (on) field.input.setAttribute('inputmode', 'none')
    else if (this.#keyed.kind === 'digits') field.input.setAttribute('inputmode', 'numeric')
    else field.input.removeAttribute('inputmode')
    turned?.(on)
  }

  #switched(): void {
    choose(this.#keyed.kind, this.#keyed.box.checked)
    if (!this.#keyed.box.checked) this.close()
    this.#turn()
    if (this.#keyed.box.checked) void this.#open()
  }

  #entered(): void {
    if (this.#keyed.box.checked && !this.#quiet && this.#panel.hidden) void this.#open()
  }

  async #open(): Promise<void> {
    if (this.#opening) return
    this.#opening = true
    this.#reveal()
    try {
      if (this.#layout === null) this.#wait()
      const layout = await this.#keyed.layout()
      if (layout !== this.#layout) this.#draw(layout)
      this.#tell('opened')
    } catch {
      this.#fail()
    } finally {
      this.#opening = false
    }
  }

  /** Shows the panel, hides another one, and keeps the field where the eye has it. */
  #reveal(): void {
    const { input } = this.#keyed.field
    const before = input.getBoundingClientRect().top
    if (shown !== this) shown?.close()
    shown = this
    show(this.#panel, true)
    const moved = input.getBoundingClientRect().top - before
    if (moved !== 0) window.scrollBy({ top: moved, behavior: 'instant' })
  }

  #draw(layout: Layout<K>): void {
    const { field, say, label } = this.#keyed
    this.#layout = layout
    this.#pad = new Pad(layout, say, label, chosen('read', false), {
      press: (key) => this.#typed(field.press(key)),
      text: (character) => this.#typed(field.text(character)),
      erase: () => {
        field.erase()
        this.#tell('erased', field.count())
      },
      empty: () => {
        field.empty()
        this.#tell('emptied')
      },
      done: () => this.#done(),
      page: (name) => this.#tell(name === 'symbols' ? 'symbols-now' : name),
    })
    this.#panel.classList.toggle('pad-wide', layout.kind === 'text')
    this.#panel.classList.remove('pad-waiting')
    this.#panel.replaceChildren(this.#top(), this.#pad.element)
    this.#panel.scrollIntoView({ block: 'nearest', behavior: 'instant' })
  }

  #top(): HTMLElement {
    const { say } = this.#keyed
    const close = button('✕', 'pad-close', () => this.#done())
    close.setAttribute('aria-label', say('close'))
    const name = el('span', { class: 'pad-name', 'aria-hidden': 'true' }, say('name'))
    return el('div', { class: 'pad-top' }, name, this.#read, close)
  }

  /** The keys' room is kept while they are asked for: nothing below moves under a finger when they come. */
  #wait(): void {
    this.#panel.classList.toggle('pad-wide', this.#keyed.kind === 'text')
    this.#panel.classList.add('pad-waiting')
    this.#panel.replaceChildren(el('p', { class: 'pad-told' }, this.#keyed.say('wait')))
    this.#panel.scrollIntoView({ block: 'nearest', behavior: 'instant' })
  }

  #fail(): void {
    const { say } = this.#keyed
    this.#layout = null
    this.#panel.classList.remove('pad-waiting')
    const again = button(say('again'), 'link', () => void this.#open())
    this.#panel.replaceChildren(el('p', { class: 'pad-told' }, say('failed'), ' ', again))
    this.#tell('failed')
  }

  #typed(fitted: boolean): void {
    this.#tell(fitted ? 'entered' : 'full', this.#keyed.field.count())
  }

  #done(): void {
    this.close()
    this.#quiet = true
    this.#keyed.field.input.focus()
    this.#quiet = false
  }

  #turnReading(): void {
    const on = this.#read.getAttribute('aria-pressed') !== 'true'
    choose('read', on)
    this.#read.setAttribute('aria-pressed', String(on))
    this.#pad?.read(on)
    this.#tell(on ? 'reading' : 'reading-not')
  }

  #tell(name: string, n = 0): void {
    this.#status.textContent = this.#keyed.say(name, { n })
  }

  /** A press of the mouse leaves the focus in the field, so that a physical keyboard goes on there. */
  #keepFocus(event: MouseEvent): void {
    event.preventDefault()
    const active = document.activeElement
    if (active === this.#keyed.field.input || this.#panel.contains(active)) return
    this.#quiet = true
    this.#keyed.field.input.focus({ preventScroll: true })
    this.#quiet = false
  }

  #escape(event: KeyboardEvent): void {
    if (event.key !== 'Escape' || event.isComposing) return
    // In the certificate window Esc would cancel all of it.
    event.stopPropagation()
    event.preventDefault()
    this.#done()
  }

  #inField(event: KeyboardEvent): void {
    if (this.#panel.hidden) return
    if (event.key === 'Escape') this.#escape(event)
    else if (event.key === 'ArrowDown' && this.#pad !== null) {
      event.preventDefault()
      this.#pad.focus()
    }
  }
}
