/** 받기: the page announces itself, embeds the vault, asks whether what arrived may be kept, and says that it is kept. */

import { Ending, type Frame, onEnd } from './copy_ending.ts'
import { CopyTalk, type FromFrame } from './copy_talk.ts'
import { sentence } from './sentences.ts'

/** 복사 완료 is this word's alone (C13): it is repeated for minutes before the person is asked to press. */
const STORED_TRIES = 20
const TRIES = 3
/** The server hears of an end before the frame does, or instead of it: so long the frame may tell it itself. */
const FRAME_TELLS_MS = 6_000

export class Receiving extends CopyTalk {
  readonly #ending = new Ending(this.ask.base, (code) => this.#over(code))
  #waiting: ReturnType<typeof setTimeout> | undefined

  start(): void {
    void this.#begin()
  }

  async #begin(): Promise<void> {
    this.screen.clear()
    clearTimeout(this.#waiting)
    this.#ending.stop()
    try {
      await this.ask.post('begin')
      this.#ending.start()
      this.open(null, [], null)
    } catch (failure) {
      this.screen.failed(failure, () => void this.#begin())
    }
  }

  protected again(): void {
    void this.#begin()
  }

  protected own(message: FromFrame): void {
    if (message.kind === 'arrived') void this.#arrived(message.fingerprint)
  }

  async #arrived(fingerprint: string): Promise<void> {
    await this.answering(async () => {
      await this.ask.insist('arrived', { fingerprint }, TRIES)
      this.frame?.say({ kind: 'accepted' })
    })
  }

  protected copied(fingerprint: string): void {
    this.#ending.stop()
    clearTimeout(this.#waiting)
    void this.#stored(fingerprint)
  }

  async #stored(fingerprint: string): Promise<void> {
    this.under(true)
    try {
      await this.ask.insist('stored', { fingerprint }, STORED_TRIES)
      this.under(false)
    } catch (failure) {
      this.under(false)
      this.screen.failed(failure, () => void this.#stored(fingerprint))
    }
  }

  protected endedBy(): void {}

  /** The session is over, or another window took the place of this one: the vault has nobody to ask any more. */
  protected refused(code: string): void {
    if (['copy-over', 'copy-other-session', 'session-over', 'login-required'].includes(code)) this.#last(code)
  }

  protected override async leave(): Promise<void> {
    this.#ending.stop()
    clearTimeout(this.#waiting)
    await super.leave()
  }

  // ── the server says that it is over ──

  #over(code: string): void {
    clearTimeout(this.#waiting)
    const now = onEnd(code, this.#frame())
    if (now === 'now') this.#last(code)
    if (now === 'later') this.#waiting = setTimeout(() => this.#later(code), FRAME_TELLS_MS)
  }

  #later(code: string): void {
    if (this.ended === 'no') this.#last(code)
  }

  #frame(): Frame {
    if (this.ended !== 'no') return this.ended
    return this.isUnder ? 'run' : 'number'
  }

  /** The vault stops what it is doing, then it goes; the panel says why. */
  #last(code: string): void {
    clearTimeout(this.#waiting)
    this.#ending.stop()
    this.frame?.say({ kind: 'failed', code })
    this.close()
    this.screen.ended(code === 'copy-stopped' ? this.screen.say('denied') : sentence(code))
  }
}
