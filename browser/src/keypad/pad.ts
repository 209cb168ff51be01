/**
 * The keys as they are seen, pressed and read: by touch (several fingers, too), by mouse, by keyboard, by screen reader.
 *
 * It knows what is drawn on a key and hands out its id; what becomes of that is the field's. By itself a key is read as
 * its place alone, so that a loudspeaker tells nobody what is typed; reading the characters is switched on by the person.
 */

import { button, el } from '../vault/dom.ts'
import { keysOf, type Key, type Layout, type Rows } from '../pure/keypad/layout.ts'
import { ERASE, icon, SHIFT } from './icons.ts'
import { aim } from './roving.ts'
import { type Say, spoken } from './words.ts'

/** Who is told. `text`: a physical keyboard, while the focus is on a key. */
export interface PadEvents<K> {
  press(key: K): void
  text(character: string): void
  erase(): void
  empty(): void
  done(): void
  page(name: string): void
}

/** How long after a finger has left a key the browser's own click of that touch may follow. */
const ECHO_MS = 800

/** The keys of one layout. */
export class Pad<K extends string> {
  readonly element: HTMLElement
  readonly #say: Say
  readonly #events: PadEvents<K>
  readonly #pages = new Map<string, HTMLElement>()
  readonly #named: { readonly button: HTMLButtonElement; readonly hidden: string; readonly open: string }[] = []
  #page: string

  constructor(layout: Layout<K>, say: Say, label: string, reading: boolean, events: PadEvents<K>) {
    this.#say = say
    this.#events = events
    this.#page = Object.keys(layout.pages)[0]!
    this.element = el('div', { class: `pad-keys pad-${layout.kind}`, role: 'grid', 'aria-label': say('of', { label }) })
    for (const [name, rows] of Object.entries(layout.pages)) this.#pages.set(name, this.#draw(layout, name, rows))
    this.element.append(...this.#pages.values())
    this.element.addEventListener('keydown', (event) => this.#typed(event))
    this.read(reading)
    this.#turn(this.#page)
    if (keysOf(layout).length === 0) throw new RangeError('a keypad without keys')
  }

  /** Whether the characters are read aloud. */
  read(on: boolean): void {
    for (const { button: key, hidden, open } of this.#named) key.setAttribute('aria-label', on ? open : hidden)
  }

  /** The keyboard's way in: the key where it was last. */
  focus(): void {
    this.#shown().querySelector<HTMLElement>('button[tabindex="0"]')?.focus()
  }

  #shown(): HTMLElement {
    return this.#pages.get(this.#page)!
  }

  #draw(layout: Layout<K>, name: string, rows: Rows<K>): HTMLElement {
    const page = el('div', { class: 'pad-page', role: 'rowgroup', hidden: true })
    rows.forEach((row, at) => {
      const cells = row.map((key, column) => cell(key === null ? null : this.#key(key, at + 1, column + 1)))
      if (layout.kind === 'text' && at === rows.length - 1) {
        cells.unshift(cell(this.#shift(name), 'pad-third'))
        cells.push(cell(this.#eraser(), 'pad-third'))
      }
      page.append(el('div', { class: 'pad-row', role: 'row' }, ...cells))
    })
    const foot = layout.kind === 'digits' ? [cell(this.#emptier()), cell(this.#eraser())] : this.#textFoot(layout, name)
    page.append(el('div', { class: 'pad-row pad-foot', role: 'row' }, ...foot, cell(this.#finish(), 'pad-end')))
    return page
  }

  #textFoot(layout: Layout<K>, name: string): HTMLElement[] {
    const away = name === 'symbols' ? 'letters' : 'symbols'
    const other = this.#act(this.#say(away), () => this.#turn(name === 'symbols' ? 'lower' : 'symbols', true))
    const space = layout.space
    const bar = space === null ? null : this.#act(this.#say('space'), () => this.#events.press(space.id))
    return [cell(other, 'pad-side'), cell(bar, 'pad-bar'), cell(this.#emptier(), 'pad-side')]
  }

  #key(key: Key<K>, row: number, column: number): HTMLButtonElement {
    const made = this.#act('', () => this.#events.press(key.id), 'pad-key')
    // Drawn by the style sheet: no text of the page, which a translator or a reader mode would carry elsewhere.
    made.dataset['glyph'] = key.glyph
    this.#named.push({ button: made, hidden: this.#say('hidden-key', { row, column }), open: spoken(this.#say, key.glyph) })
    return made
  }

  #shift(name: string): HTMLButtonElement | null {
    if (name === 'symbols') return null
    const made = this.#act('', () => this.#turn(name === 'lower' ? 'upper' : 'lower', true))
    made.append(icon(SHIFT))
    made.setAttribute('aria-label', this.#say('shift'))
    made.setAttribute('aria-pressed', String(name === 'upper'))
    return made
  }

  #eraser(): HTMLButtonElement {
    const made = this.#act('', () => this.#events.erase())
    made.append(icon(ERASE))
    made.setAttribute('aria-label', this.#say('erase'))
    return made
  }

  #emptier(): HTMLButtonElement {
    const made = this.#act(this.#say('empty-short'), () => this.#events.empty())
    return made
  }

  #finish(): HTMLButtonElement {
    return this.#act(this.#say('done'), () => this.#events.done(), 'pad-done')
  }

  /** A button that acts once for each finger that leaves it, and for a click that no finger made. */
  #act(text: string, act: () => void, className = 'pad-act'): HTMLButtonElement {
    const down = new Set<number>()
    let touched = -Infinity
    const made = button(text, className, () => undefined)
    made.tabIndex = -1
    made.addEventListener('pointerdown', (event) => {
      if (event.pointerType === 'touch') down.add(event.pointerId)
    })
    made.addEventListener('pointercancel', (event) => down.delete(event.pointerId))
    made.addEventListener('pointerup', (event) => {
      if (!down.delete(event.pointerId) || !under(event, made)) return
      touched = event.timeStamp
      act()
    })
    made.addEventListener('click', (event) => {
      if (event.detail !== 0 && event.timeStamp - touched < ECHO_MS) return
      act()
    })
    made.addEventListener('focus', () => this.#rove(made))
    return made
  }

  #turn(name: string, asked = false): void {
    const before = this.#shown().contains(document.activeElement) ? placeOf(document.activeElement) : null
    this.#page = name
    for (const [each, page] of this.#pages) page.hidden = each !== name
    const buttons = [...this.#shown().querySelectorAll('button')]
    const stop = buttons.find((each) => each.tabIndex === 0) ?? buttons[0]
    if (stop !== undefined) this.#rove(stop)
    if (before !== null) (buttonAt(this.#shown(), before) ?? stop)?.focus()
    if (asked) this.#events.page(name)
  }

  #rove(to: HTMLElement): void {
    for (const each of this.element.querySelectorAll('button')) each.tabIndex = each === to ? 0 : -1
  }

  #typed(event: KeyboardEvent): void {
    if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return
    const to = aim(event.key, this.#shown(), document.activeElement)
    if (to !== null) to.focus()
    else if (event.key === 'Backspace') this.#events.erase()
    else if ([...event.key].length === 1 && event.key !== ' ') this.#events.text(event.key)
    else return
    event.preventDefault()
  }
}

function cell(content: HTMLElement | null, className = ''): HTMLElement {
  const made = el('span', { class: `pad-cell ${className}`.trim(), role: 'gridcell' })
  if (content === null) made.classList.add('blank')
  else made.append(content)
  return made
}

/** Whether the finger is still on the key that it came down on: sliding away takes a press back. */
function under({ clientX, clientY }: PointerEvent, key: HTMLElement): boolean {
  const found = document.elementFromPoint(clientX, clientY)
  return found !== null && key.contains(found)
}

type Place = { readonly row: number; readonly column: number }

/** Where a button lies on its page, so that the focus stays there when the page is turned. */
function placeOf(target: Element | null): Place | null {
  const at = target?.closest('.pad-cell')
  const row = at?.parentElement
  if (at === null || at === undefined || !row?.parentElement) return null
  return { row: [...row.parentElement.children].indexOf(row), column: [...row.children].indexOf(at) }
}

function buttonAt(page: HTMLElement, { row, column }: Place): HTMLElement | null {
  return page.children[row]?.children[column]?.querySelector('button') ?? null
}
