/**
 * 보내기: ① the receiver as the server sees it and C3's question, ② 추가인증 where C2 asks, ③ the vault's frame.
 *
 * The step is the server's: every look may bring the page forward or back, also after a reload or in another window.
 */

import { type ChallengeMessage, challengeMessage } from '../vault/messages.ts'
import type { Told } from './copy_asking.ts'
import { Factor } from './copy_factor.ts'
import { type Look, lookOf, sameSeen, type Seen } from './copy_look.ts'
import { Settling } from './copy_settling.ts'
import { CopyTalk, type FromFrame } from './copy_talk.ts'
import { Watching } from './copy_watching.ts'
import { sentence } from './sentences.ts'

/** The server hears of an end before the frame does, or instead of it: so long the frame may tell it itself. */
const FRAME_TELLS_MS = 6_000
const TRIES = 5
const KOREA: Intl.DateTimeFormatOptions = { timeZone: 'Asia/Seoul', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }

export class Sending extends CopyTalk {
  readonly #section: HTMLElement
  readonly #watching: Watching
  readonly #factor: Factor | null
  readonly #settling = new Settling((pressable) => this.#pressable(pressable))
  #look: Look | null = null
  #asked: Seen | null = null
  #acted = false
  #opening = false
  #over = false
  #waiting: ReturnType<typeof setTimeout> | undefined

  constructor(section: HTMLElement) {
    super(section)
    this.#section = section
    this.#watching = new Watching(this.ask, (look) => this.#saw(look), () => this.#paused())
    const form = section.querySelector<HTMLFormElement>('form[data-copy-factor]')
    this.#factor = form === null ? null : new Factor(form, this.ask, this.screen, () => void this.#next())
  }

  start(): void {
    const question = this.#section.querySelector<HTMLFormElement>('form[data-copy-question]')
    question?.addEventListener('submit', (event) => {
      // Before anything else on the page sees it: to them it is no submission.
      event.preventDefault()
      event.stopImmediatePropagation()
      const button = event.submitter instanceof HTMLButtonElement ? event.submitter : null
      void this.#answer(question, button)
    }, { capture: true })
    const first = lookOf(JSON.parse(this.#section.dataset['look'] ?? 'null'))
    if (first !== null) this.#saw(first)
    this.#watching.start()
  }

  // ── where the copy is ──

  #saw(look: Look): void {
    if (this.#over) return
    const before = this.#look
    this.#look = look
    switch (look.step) {
      case 'receiver':
        return this.#choosing(look, before)
      case 'factor':
        this.close()
        this.screen.show('factor', this.#acted)
        if (before?.step === 'vault') this.screen.fail(this.screen.say('lapsed'), null)
        return this.#factor?.show(look.sent_until, look.calling)
      case 'vault':
        return this.#signing(look)
      case 'copied':
      case 'over':
        return this.#ending(look)
    }
  }

  #choosing(look: Look, before: Look | null): void {
    const lost = before !== null && (before.step === 'factor' || before.step === 'vault')
    this.close()
    this.screen.intro(true)
    this.screen.show('receiver', lost)
    if (lost) this.screen.fail(this.screen.say('replaced'), null)
    if (look.code === 'copy-same-device') this.screen.fail(this.screen.say('same'), null)
    else if (!lost && before?.code === 'copy-same-device') this.screen.clear()
    this.#describe(look.receiver, lost)
  }

  #describe(seen: Seen | null, lost: boolean): void {
    const waiting = this.#section.querySelector<HTMLElement>('[data-copy-waiting]')
    const question = this.#section.querySelector<HTMLFormElement>('form[data-copy-question]')
    if (waiting === null || question === null) return
    waiting.hidden = seen !== null
    question.hidden = seen === null
    if (this.#settling.show(seen) && !lost) this.screen.fail(sentence('copy-receiver-changed'), null)
    if (sameSeen(seen, this.#asked)) return
    this.#asked = seen
    const news = this.#section.querySelector<HTMLElement>('[data-copy-news]')
    if (news !== null) news.textContent = seen === null ? '' : `${news.dataset['word'] ?? ''}: ${seen.kind_text} · ${seen.browser}`
    if (seen === null) return
    const said = {
      kind: seen.kind_text,
      browser: seen.browser,
      region: seen.region,
      network: this.screen.say(`network-${seen.same_network}`),
      opened: this.#since(seen.opened),
      known: this.screen.say(`known-${seen.known}`),
    }
    for (const [name, text] of Object.entries(said)) this.#put(name, text)
    this.#mark('network', seen.same_network)
    this.#mark('known', seen.known)
  }

  /** C3's two answers. Whoever was about to press with the keyboard reads the new device first. */
  #pressable(pressable: boolean): void {
    const question = this.#section.querySelector<HTMLFormElement>('form[data-copy-question]')
    const buttons = question?.querySelectorAll<HTMLButtonElement>('button[value]') ?? []
    const held = [...buttons].some((each) => each === document.activeElement)
    for (const each of buttons) each.disabled = !pressable
    if (held && !pressable) question?.querySelector<HTMLElement>('[data-copy-head]')?.focus({ preventScroll: true })
  }

  #put(name: string, text: string): void {
    const place = this.#section.querySelector<HTMLElement>(`[data-copy-seen="${name}"]`)
    if (place !== null) place.textContent = text
  }

  #mark(name: string, usual: boolean): void {
    this.#section.querySelector(`[data-copy-seen="${name}"]`)?.classList.toggle('unusual', !usual)
  }

  /** `21:04 (2분 전)`: the clock of the server, and how long ago where this device's clock makes sense of it. */
  #since(opened: string): string {
    const at = new Date(opened)
    const clock = new Intl.DateTimeFormat('ko-KR', KOREA).format(at)
    const minutes = Math.floor((Date.now() - at.getTime()) / 60_000)
    if (minutes < 0 || minutes > 60) return clock
    return `${clock} (${minutes === 0 ? this.screen.say('now') : this.screen.say('ago', String(minutes))})`
  }

  // ── ① ──

  async #answer(form: HTMLFormElement, button: HTMLButtonElement | null): Promise<void> {
    const receiver = this.#settling.answerable
    if (receiver === null || button === null) return
    this.screen.clear()
    await this.screen.busy(form, button, async () => {
      try {
        if (button.value === 'no') await this.#deny(receiver)
        else {
          await this.ask.post('confirm', { receiver })
          await this.#next()
        }
      } catch (failure) {
        await this.#watching.look().catch(() => undefined)
        this.screen.failed(failure, null)
      }
    })
  }

  async #deny(receiver: string): Promise<void> {
    await this.ask.post('deny', { receiver })
    this.#finish()
    this.screen.show('stopped', true)
  }

  /** The person did something: the next step, with the focus. */
  async #next(): Promise<void> {
    this.#acted = true
    await this.#watching.look()
  }

  #paused(): void {
    if (this.#over || this.frame !== null) return
    const press = (): void => {
      this.#watching.start()
      void this.#watching.look().catch((failure: unknown) => this.screen.failed(failure, null))
    }
    this.screen.fail(this.screen.say('paused'), { word: this.screen.say('look-again'), press })
  }

  // ── ③ ──

  #signing(look: Look): void {
    clearTimeout(this.#waiting)
    this.screen.show('vault', this.#acted)
    const other = this.#section.querySelector<HTMLElement>('[data-copy-other]')
    if (other !== null) other.textContent = this.screen.say('frame', look.receiver_text ?? '')
    if (this.frame === null && !this.#opening) void this.#embed(look.receiver_text)
  }

  async #embed(other: string | null): Promise<void> {
    this.#opening = true
    try {
      const told = await this.ask.post('challenge')
      if (this.#look?.step === 'vault') this.open(challengeOf(told), boundOf(told), other)
    } catch (failure) {
      this.screen.failed(failure, () => void this.#embed(other))
    } finally {
      this.#opening = false
    }
  }

  protected again(): void {
    this.close()
    this.#acted = true
    void this.#watching.look().catch((failure: unknown) => this.screen.failed(failure, () => this.again()))
  }

  protected own(message: FromFrame): void {
    if (message.kind === 'expired') {
      void this.answering(async () => {
        this.frame?.say({ kind: 'renewed', challenge: challengeOf(await this.ask.post('challenge')) })
      })
    }
    if (message.kind === 'proved') {
      void this.answering(async () => {
        await this.ask.post('prove', { nonce: message.nonce, signed: message.signed })
        this.under(true)
        this.frame?.say({ kind: 'accepted' })
      })
    }
  }

  protected refused(code: string): void {
    // Where it stands the server says: the proof may have run out, or another window may have begun anew.
    if (code === 'copy-order' || code.startsWith('copy-o') || code === 'proof-missing') {
      void this.#watching.look().catch(() => undefined)
    }
  }

  // ── the end ──

  protected copied(fingerprint: string): void {
    this.#finish()
    this.screen.step('copied')
    // Beside what the person sees: with the receiver's own word it makes that device known (C2).
    void this.ask.insist('copied', { fingerprint }, TRIES).catch(() => undefined)
  }

  protected endedBy(): void {
    if (this.#look !== null && (this.#look.step === 'copied' || this.#look.step === 'over')) this.#ending(this.#look)
  }

  /** The server says that it is over. The frame knows more of it, and says so in a moment; else it is said here. */
  #ending(look: Look): void {
    const step = look.step === 'copied' ? 'copied' : 'over'
    clearTimeout(this.#waiting)
    if (this.frame !== null && this.ended === 'no') {
      this.#waiting = setTimeout(() => this.#last(step, look.code), FRAME_TELLS_MS)
      return
    }
    if (this.ended !== 'copied') this.#last(step, look.code)
  }

  #last(step: 'copied' | 'over', code: string | null): void {
    if (this.#over) return
    this.close()
    this.#finish()
    this.screen.why(sentence(code ?? 'copy-over'))
    this.screen.show(step, this.#acted)
  }

  #finish(): void {
    this.#over = true
    this.under(false)
    clearTimeout(this.#waiting)
    this.#watching.stop()
  }
}

/** Our own server's words about a challenge, without what stands beside it. Throws MessageRefused. */
function challengeOf(told: Told): ChallengeMessage {
  const { bound: _, ...challenge } = told
  return challengeMessage(challenge)
}

function boundOf(told: Told): readonly string[] {
  const { bound } = told
  return Array.isArray(bound) ? bound.filter((each): each is string => typeof each === 'string') : []
}
