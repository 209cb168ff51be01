/** ② 추가인증: a code by SMS, a call, or a branch's number, as in 타기관인증서등록; only where the receiver is new (C2). */

import { CallStream } from '../page/call_stream.ts'
import { clockFace } from '../page/clock_face.ts'
import { type Asked, deviceAnswer } from '../page/device_proof.ts'
import { type Countdown, countdown, paint } from '../page/timers.ts'
import type { CopyAsking, Told } from './copy_asking.ts'
import type { CopyScreen } from './copy_screen.ts'

export class Factor {
  readonly #form: HTMLFormElement
  readonly #ask: CopyAsking
  readonly #screen: CopyScreen
  readonly #proved: () => void
  readonly #clocks = new Map<string, Countdown>()
  readonly #call: CallStream
  #again: ReturnType<typeof setTimeout> | null = null
  #mayAgain = false

  constructor(form: HTMLFormElement, ask: CopyAsking, screen: CopyScreen, proved: () => void) {
    this.#form = form
    this.#ask = ask
    this.#screen = screen
    this.#proved = proved
    this.#call = new CallStream(`${ask.base}/call`, (told) => this.#called(told))
    for (const button of form.querySelectorAll<HTMLElement>('[data-copy-code]')) {
      button.addEventListener('click', () => void this.#send(button))
    }
    this.#part('[data-copy-other]')?.addEventListener('click', () => this.#other())
    const dial = this.#part('[data-copy-call]')
    dial?.addEventListener('click', () => void this.#dial(dial))
    form.addEventListener('submit', (event) => {
      event.preventDefault()
      event.stopImmediatePropagation()
      void this.#prove(event.submitter)
    }, { capture: true })
  }

  /** What the server knows: whether a code is under way, and until when; whether a call is. */
  show(until: string | null, calling: boolean): void {
    const left = until === null ? 0 : Math.round((Date.parse(until) - Date.now()) / 1000)
    if (left > 0) this.#typing(Math.min(left, 600))
    if (calling && !this.#call.running) this.#call.start()
  }

  /** The code may be there before the answer that it was sent: what is typed is not held up by it. */
  async #send(button: HTMLElement): Promise<void> {
    this.#screen.clear()
    await this.#screen.busy(this.#wayOf(button), button, async () => {
      try {
        const asked = Date.now()
        const { until } = await this.#ask.post('code', { method: 'sms' })
        this.#typing(Math.round((Date.parse(String(until)) - asked) / 1000))
        this.#form.querySelector<HTMLInputElement>('input[name=code]')?.focus()
      } catch (failure) {
        this.#screen.failed(failure, null)
      }
    })
  }

  /** On a designated device: its key signs in place of the choice (M-ADD-10). */
  async #byDevice(button: HTMLElement | null): Promise<void> {
    this.#screen.clear()
    await this.#screen.busy(this.#form, button, async () => {
      try {
        const asked = await this.#ask.post('device/challenge')
        await this.#ask.post('device', { device_answer: await deviceAnswer(asked as unknown as Asked) })
        this.#proved()
      } catch (failure) {
        this.#other()
        this.#screen.failed(failure, null)
      }
    })
  }

  /** The choice is there for whoever's device does not sign. */
  #other(): void {
    this.#shown('[data-copy-device]', false)
    this.#shown('[data-copy-choice]', true)
  }

  async #prove(button: HTMLElement | null): Promise<void> {
    if (this.#part('[data-copy-device]')?.hidden === false) return this.#byDevice(button)
    const method = this.#form.querySelector<HTMLInputElement>('input[name=method]:checked')?.value ?? 'sms'
    const field = this.#form.querySelector<HTMLInputElement>(`input[name=${method === 'branch-otp' ? 'branch' : 'code'}]`)
    const typed: Record<string, string> = { method }
    if (method !== 'ars' && field !== null) typed[field.name] = field.value
    this.#screen.clear()
    await this.#screen.busy(this.#form, button, async () => {
      try {
        await this.#ask.post('factor', typed)
        if (field !== null) field.value = ''
        this.#call.stop()
        this.#proved()
      } catch (failure) {
        // The error stands above the field, and is read first.
        if (method !== 'ars') field?.focus({ preventScroll: true })
        if (method !== 'ars') field?.select()
        this.#screen.failed(failure, null)
      }
    })
  }

  #typing(seconds: number): void {
    const asking = this.#part('[data-copy-asking]')
    const typing = this.#part('[data-copy-typing]')
    if (asking !== null) asking.hidden = true
    if (typing !== null) typing.hidden = false
    this.#count('[data-copy-left]', seconds)
  }

  // ── 2채널 인증 ──

  async #dial(button: HTMLElement): Promise<void> {
    const to = this.#form.querySelector<HTMLSelectElement>('select[name=to]')?.value ?? ''
    this.#screen.clear()
    await this.#screen.busy(this.#wayOf(button), button, async () => {
      try {
        const told = await this.#ask.post('code', { method: 'ars', to })
        this.#waited()
        this.#called(told)
        this.#part('[data-copy-digits]')?.focus({ preventScroll: true })
      } catch (failure) {
        this.#screen.failed(failure, null)
      }
    })
  }

  /** How the call stands; what is approved goes on by itself. */
  #called(told: Told): void {
    const digits = typeof told['digits'] === 'string' ? told['digits'] : ''
    const text = typeof told['text'] === 'string' ? told['text'] : ''
    const ringing = told['over'] !== true
    const reading = this.#part('[data-copy-calling]')?.contains(document.activeElement) === true
    this.#shown('[data-copy-calling]', ringing)
    this.#shown('[data-copy-dial]', !ringing || this.#mayAgain)
    this.#text('[data-copy-digits]', digits)
    this.#text('[data-copy-call-state]', ringing ? text : '')
    this.#text('[data-copy-call-end]', ringing || told['state'] === 'approved' || told['state'] === 'none' ? '' : text)
    if (ringing && typeof told['until'] === 'string') {
      const left = Math.round((Date.parse(told['until']) - Date.now()) / 1000)
      if (!this.#clocks.has('[data-copy-call-left]') || left > 170) this.#count('[data-copy-call-left]', Math.min(left, 600))
    }
    if (ringing && !this.#call.running) this.#call.start()
    if (ringing) return this.#wait()
    this.#waited()
    this.#call.stop()
    if (told['state'] === 'approved' || told['state'] === 'refused') return void this.#prove(null)
    // Whoever reads the digits goes on at what became of them, not at the top of the page.
    if (reading) this.#part('[data-copy-call-end]')?.focus()
  }

  /** After so long without an end of the call another one is offered, in its place. */
  #wait(): void {
    const dial = this.#part('[data-copy-dial]')
    if (dial === null) return
    this.#again ??= setTimeout(() => {
      this.#mayAgain = true
      dial.hidden = false
    }, Number(dial.dataset['copyDial']) * 1_000)
  }

  #waited(): void {
    if (this.#again !== null) clearTimeout(this.#again)
    this.#again = null
    this.#mayAgain = false
  }

  // ── small acts on the page ──

  #count(chip: string, seconds: number): void {
    const part = this.#part(chip)
    if (part === null) return
    const running = this.#clocks.get(chip)
    if (running !== undefined) return running.restart(seconds)
    this.#clocks.set(chip, countdown(seconds, (left) => {
      part.textContent = left > 0 ? clockFace(left) : this.#screen.say('code-over')
      paint(part, left)
    }))
  }

  /** What belongs to one of the ways, around a button of it. */
  #wayOf(button: HTMLElement): HTMLElement {
    return button.closest<HTMLElement>('.radio-more') ?? this.#form
  }

  #part(selector: string): HTMLElement | null {
    return this.#form.querySelector<HTMLElement>(selector)
  }

  #shown(selector: string, shown: boolean): void {
    const part = this.#part(selector)
    if (part !== null) part.hidden = !shown
  }

  #text(selector: string, text: string): void {
    const part = this.#part(selector)
    if (part !== null && part.textContent !== text) part.textContent = text
  }
}
