/** ② 추가인증: a code to the registered telephone, as in 타기관인증서등록; only where the receiver is new (C2). */

import { clockFace } from '../page/clock_face.ts'
import { countdown, paint } from '../page/timers.ts'
import type { CopyAsking } from './copy_asking.ts'
import type { CopyScreen } from './copy_screen.ts'

export class Factor {
  readonly #form: HTMLFormElement
  readonly #ask: CopyAsking
  readonly #screen: CopyScreen
  readonly #proved: () => void
  #clock: { restart(seconds: number): void } | null = null

  constructor(form: HTMLFormElement, ask: CopyAsking, screen: CopyScreen, proved: () => void) {
    this.#form = form
    this.#ask = ask
    this.#screen = screen
    this.#proved = proved
    for (const button of form.querySelectorAll<HTMLElement>('[data-copy-code]')) {
      button.addEventListener('click', () => void this.#send(button))
    }
    form.addEventListener('submit', (event) => {
      event.preventDefault()
      event.stopImmediatePropagation()
      void this.#prove(event.submitter)
    }, { capture: true })
  }

  /** What the server knows: whether a code is under way, and until when. */
  show(until: string | null): void {
    const left = until === null ? 0 : Math.round((Date.parse(until) - Date.now()) / 1000)
    if (left > 0) this.#typing(Math.min(left, 600))
  }

  async #send(button: HTMLElement): Promise<void> {
    this.#screen.clear()
    await this.#screen.busy(this.#form, button, async () => {
      try {
        const asked = Date.now()
        const { until } = await this.#ask.post('code')
        this.#typing(Math.round((Date.parse(String(until)) - asked) / 1000))
        this.#form.querySelector<HTMLInputElement>('input[name=code]')?.focus()
      } catch (failure) {
        this.#screen.failed(failure, null)
      }
    })
  }

  async #prove(button: HTMLElement | null): Promise<void> {
    const field = this.#form.querySelector<HTMLInputElement>('input[name=code]')
    this.#screen.clear()
    await this.#screen.busy(this.#form, button, async () => {
      try {
        await this.#ask.post('factor', { code: field?.value ?? '' })
        if (field !== null) field.value = ''
        this.#proved()
      } catch (failure) {
        // The error stands above the field, and is read first.
        field?.focus({ preventScroll: true })
        field?.select()
        this.#screen.failed(failure, null)
      }
    })
  }

  #typing(seconds: number): void {
    const asking = this.#form.querySelector<HTMLElement>('[data-copy-asking]')
    const typing = this.#form.querySelector<HTMLElement>('[data-copy-typing]')
    if (asking !== null) asking.hidden = true
    if (typing !== null) typing.hidden = false
    const chip = this.#form.querySelector<HTMLElement>('[data-copy-left]')
    if (chip === null) return
    if (this.#clock !== null) return this.#clock.restart(seconds)
    this.#clock = countdown(seconds, (left) => {
      chip.textContent = left > 0 ? clockFace(left) : this.#screen.say('code-over')
      paint(chip, left)
    })
  }
}
