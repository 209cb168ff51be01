/** 받기: the page announces itself, embeds the vault, asks whether what arrived may be kept, and says that it is kept. */

import { CopyTalk, type FromFrame } from './copy_talk.ts'

/** 복사 완료 is this word's alone (C13): it is repeated for minutes before the person is asked to press. */
const STORED_TRIES = 20
const TRIES = 3

export class Receiving extends CopyTalk {
  start(): void {
    void this.#begin()
  }

  async #begin(): Promise<void> {
    this.screen.clear()
    try {
      await this.ask.post('begin')
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
    if (!['copy-over', 'copy-other-session', 'session-over', 'login-required'].includes(code)) return
    this.close()
    this.screen.refused(code)
  }
}
