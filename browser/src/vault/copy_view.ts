/**
 * What the person sees of a copy, inside the center's page: one screen for each state, in the manual's words (W6, B3).
 *
 * Drawing only. A change of screen takes the focus to what is to be done or read next, where the person is in this frame,
 * and is told to a screen reader.
 */

import type { Facts } from '../pure/failure.ts'
import type { CopyMessage } from './copy_messages.ts'
import type { Arrival, Invitation, State, Trouble } from './copy_machine.ts'
import { button, el } from './dom.ts'
import { type ChooseEvents, ChooseScreen } from './screens/copy_choose.ts'
import { copiedScreen, type CopiedEvents, type CopiedScreen } from './screens/copy_copied.ts'
import { inviteScreen, type InviteEvents } from './screens/copy_invite.ts'
import { numberScreen, type NumberEvents } from './screens/copy_number.ts'
import { replaceScreen, type ReplaceEvents } from './screens/copy_replace.ts'
import { type ScanEvents, scanScreen } from './screens/copy_scan.ts'
import { wordsScreen, type WordsEvents } from './screens/copy_words.ts'
import type { KeptRecord } from './record.ts'
import { type Say, saying, sentence } from './words.ts'

/** Who is told of what the person does. */
export interface CopyEvents {
  readonly choose: ChooseEvents
  readonly number: NumberEvents
  readonly invite: InviteEvents
  readonly scan: ScanEvents
  readonly words: WordsEvents
  readonly replace: ReplaceEvents
  readonly copied: CopiedEvents
  again(): void
  leave(): void
}

/** For how long the page may take to give the frame the height of a new screen. */
const FITS_MS = 1000

/** What a copied screen shows beside the state. */
export interface Copied {
  readonly certificate: Uint8Array
  readonly kept: boolean
}

/** The screens of one copy. `size` hears how high the content is. */
export class CopyView {
  readonly say: Say
  readonly #copy: CopyMessage
  readonly #events: CopyEvents
  readonly #box = el('div', { class: 'issue copy' })
  readonly #away = el('p', { class: 'copy-away', role: 'status' })
  readonly #status = el('p', { role: 'status', class: 'unseen', id: 'status' })
  readonly #watch: ResizeObserver
  /** What was brought into view, until when the page's new height for the frame brings it there once more. */
  #brought: { readonly element: HTMLElement; readonly until: number } | null = null
  /** What the screen of before leaves running: a clock, a camera. */
  #stop: () => void = () => undefined
  #choose: ChooseScreen | null = null
  copied: CopiedScreen | null = null
  /** What the other device is called: by the center, and once both have met, by itself. */
  device: string
  /** When the words must have been compared, by performance.now. */
  compareUntil = 0
  result: Copied = { certificate: new Uint8Array(0), kept: false }

  constructor(copy: CopyMessage, events: CopyEvents, size: (height: number) => void) {
    this.#copy = copy
    this.#events = events
    this.say = saying(copy.lang)
    this.device = copy.other ?? this.say('copy-other-device')
    document.documentElement.lang = copy.lang
    document.documentElement.classList.add('inline')
    document.title = this.say(`copy-frame-${copy.role}`)
    const heading = el('h1', { class: 'unseen' }, document.title)
    const main = el('main', { class: 'inline-main' }, heading, this.#box, this.#away, this.#status)
    document.body.replaceChildren(main)
    this.#watch = new ResizeObserver(() => size(Math.ceil(main.getBoundingClientRect().height)))
    this.#watch.observe(main)
    window.addEventListener('resize', this.#fitted)
  }

  /** The screen of the choice, made once: what was picked stays while a password is tried. */
  get choose(): ChooseScreen {
    const { lang, other, challenge } = this.#copy
    this.#choose ??= new ChooseScreen({
      say: this.say,
      lang,
      other,
      bodyText: challenge?.body_text ?? '',
      events: this.#events.choose,
      sentence: (code, facts) => this.sentence(code, facts),
      announce: (text) => this.announce(text),
    })
    return this.#choose
  }

  /** The sentence of a code, in this conversation's own words first, and this side's. */
  sentence(code: string, facts: Facts = {}): string {
    return sentence(this.#copy.lang, code, facts, 'copy-why', this.#copy.role)
  }

  announce(text: string): void {
    this.#status.textContent = text
  }

  /** Whose connection is interrupted just now. */
  away(whose: 'own' | 'other' | null): void {
    this.#away.textContent = whose === null ? '' : this.say(`copy-away-${whose}`, { device: this.device })
  }

  /** Draws a state. */
  draw(state: State): void {
    this.#stop()
    this.#stop = () => undefined
    switch (state.at) {
      case 'choosing':
        return this.#choosing(state.trouble)
      case 'renewing':
      case 'proving':
        return
      case 'numbering':
        return this.#numbering()
      case 'fetching':
      case 'dialing':
        return this.#progress(state.meeting.act === 'open' ? 'copy-preparing' : 'copy-connecting')
      case 'inviting':
        return this.#inviting(state.invitation)
      case 'lapsed':
        return this.#lapsed(state.trouble)
      case 'scanning':
        return this.#scanning()
      case 'comparing':
        return this.#comparing(state.words)
      case 'sending':
        return this.#progress(state.asking ? 'copy-asking' : 'copy-sending')
      case 'replacing':
        return this.#replacing(state.arrival)
      case 'copied':
        return this.#copied(state.record)
      case 'ended':
        return this.#ended(state.trouble)
      case 'over':
        return
      default:
        return this.#progress(`copy-${state.at}`)
    }
  }

  #put(element: HTMLElement, stop: () => void = () => undefined): void {
    this.#box.replaceChildren(element)
    this.#stop = stop
  }

  /** Whoever has scrolled the page sees what came of it: all of it where it fits, its beginning in any case. */
  #bring(element: HTMLElement): void {
    this.#brought = { element, until: performance.now() + FITS_MS }
    intoView(element)
  }

  /** The frame has another height: what was outside of it a moment ago can be seen now. */
  readonly #fitted = (): void => {
    if (this.#brought !== null && performance.now() < this.#brought.until) intoView(this.#brought.element)
  }

  /** A heading that takes the focus is read by itself; without the focus the status says it. */
  #show(element: HTMLElement, said: string, stop: () => void = () => undefined): void {
    this.#put(element, stop)
    if (document.hasFocus()) {
      this.announce('')
      element.querySelector<HTMLElement>('[tabindex="-1"]')?.focus()
    } else this.announce(said)
  }

  #progress(name: string): void {
    const text = this.say(name, { device: this.device })
    this.#put(el('p', { class: 'progress' }, el('span', { class: 'spinner', 'aria-hidden': 'true' }), text))
    this.announce(text)
  }

  #choosing(trouble: Trouble | null): void {
    this.choose.busy(null)
    this.#put(this.choose.element)
    if (trouble === null) return this.announce('')
    this.choose.alert(trouble.code, trouble.facts)
    if (document.hasFocus()) this.choose.focus()
  }

  #numbering(): void {
    const { here, other } = this.#copy
    const screen = numberScreen(this.say, here, other, this.#events.number)
    this.#put(screen.element)
    this.announce(this.say('copy-proved'))
    if (document.hasFocus()) screen.focus()
  }

  #inviting(invitation: Invitation): void {
    const { say } = this
    const { role, here } = this.#copy
    const announce = (text: string): void => this.announce(text)
    const screen = inviteScreen({ say, role, here, invitation, events: this.#events.invite, announce })
    this.#show(screen.element, say(role === 'receive' ? 'copy-receive-title' : 'copy-send-qr-title'), screen.stop)
  }

  #lapsed(trouble: Trouble): void {
    const { say } = this
    const { role, here } = this.#copy
    const { invite } = this.#events
    const another = button(say('copy-another'), 'primary', invite.another)
    const ends = el('div', { class: 'ends inline' }, button(say('cancel'), 'secondary', invite.cancel), another)
    const element = el('div', {}, this.#alert(this.sentence(trouble.code, trouble.facts)))
    const word = role === 'send' ? 'copy-type-instead' : here === 'phone' ? 'copy-scan-pc' : null
    if (word !== null) element.append(button(say(word), 'secondary wide', invite.other))
    element.append(ends)
    this.#put(element)
    if (document.hasFocus()) another.focus()
    this.#bring(element)
  }

  #scanning(): void {
    const { say } = this
    const { role } = this.#copy
    const title = say(role === 'send' ? 'copy-scan-title-send' : 'copy-scan-title-receive')
    const back = say(role === 'send' ? 'copy-type-instead' : 'copy-number-instead')
    const screen = scanScreen(say, title, back, this.#events.scan)
    this.#show(screen.element, title, screen.stop)
    screen.start()
  }

  #comparing(words: readonly [number, number]): void {
    const { say, device } = this
    const { lang, role } = this.#copy
    const announce = (text: string): void => this.announce(text)
    const events = this.#events.words
    const screen = wordsScreen({ say, lang, role, words, device, ends: this.compareUntil, events, announce })
    this.#show(screen.element, say(`copy-words-${role}`), screen.stop)
    this.#bring(screen.element)
  }

  #replacing(arrival: Arrival): void {
    const element = replaceScreen(this.say, this.#copy.lang, arrival, this.#events.replace)
    this.#show(element, this.say('copy-replace-title'))
    this.#bring(element)
  }

  #copied(record: KeptRecord | null): void {
    // A record that a tried password sealed is the same one: what the person reads stays.
    if (this.copied !== null) return
    const { say, device } = this
    const { certificate, kept } = this.result
    const events = this.#events.copied
    this.copied = copiedScreen({ say, lang: this.#copy.lang, certificate, record, kept, other: device, events })
    this.#show(this.copied.element, say('copy-copied'))
    this.#bring(this.copied.element)
  }

  #ended(trouble: Trouble): void {
    const { say } = this
    // Words that differ are the signal of an attack: nobody is led back into it (C10).
    const attack = trouble.code === 'copy-words-differ'
    const again = button(say('copy-again'), attack ? 'secondary' : 'primary', this.#events.again)
    const leave = button(say('copy-leave'), attack ? 'primary' : 'secondary', this.#events.leave)
    const hint = say(trouble.code === 'copy-unconfirmed' ? 'copy-ended-unsure' : 'copy-ended')
    const alert = this.#alert(this.sentence(trouble.code, trouble.facts))
    const element = el('div', {}, alert, el('p', { class: 'hint' }, hint))
    element.append(el('div', { class: 'ends inline' }, ...(attack ? [again, leave] : [leave, again])))
    this.#put(element)
    this.away(null)
    // What happened is read before anything is pressed.
    if (document.hasFocus()) alert.focus()
    this.#bring(element)
  }

  #alert(text: string): HTMLElement {
    this.announce('')
    return el('p', { class: 'alert', role: 'alert', tabindex: '-1' }, text)
  }

  /** Takes everything away, what was typed first. */
  close(): void {
    this.#stop()
    this.#choose?.clear()
    this.copied?.clear()
    this.#watch.disconnect()
    window.removeEventListener('resize', this.#fitted)
    document.body.replaceChildren()
  }
}

function intoView(element: HTMLElement): void {
  for (const each of [element, element.firstElementChild]) each?.scrollIntoView({ block: 'nearest' })
}
