/** What both ends of a copy have in common: tickets for the vault, the warning before leaving, and the way out. */

import type { CopyMessage } from '../vault/copy_messages.ts'
import type { ChallengeMessage, CustomerKind, FromVault, Lang } from '../vault/messages.ts'
import { CopyAsking, failedBy, type Told } from './copy_asking.ts'
import { CopyFrame } from './copy_frame.ts'
import { CopyScreen } from './copy_screen.ts'
import { sentence } from './sentences.ts'

export type FromFrame = Exclude<FromVault, { kind: 'ready' | 'size' }>

const COPYING = '/copying'
/** A word about a mailbox or an arrival is repeated so often before the vault is told that nobody answers. */
const TRIES = 3

export abstract class CopyTalk {
  protected readonly ask: CopyAsking
  protected readonly screen: CopyScreen
  protected frame: CopyFrame | null = null
  /** The vault said how it ended; its last screen stays. */
  protected ended: 'no' | 'copied' | 'ended' = 'no'
  readonly #section: HTMLElement
  readonly #vault: string
  #under = false

  constructor(section: HTMLElement) {
    this.#section = section
    this.#vault = section.dataset['vault'] ?? ''
    this.ask = new CopyAsking(section.dataset)
    this.screen = new CopyScreen(section)
    window.addEventListener('beforeunload', (event) => {
      if (this.#under) event.preventDefault()
    })
    // Out of the browser's memory the page would talk about a copy that is long over.
    window.addEventListener('pageshow', (event) => {
      if (event.persisted) location.reload()
    })
    for (const button of section.querySelectorAll<HTMLElement>('[data-copy-leave]')) {
      button.addEventListener('click', () => void this.leave())
    }
  }

  /** Whether something would be lost if the page went. */
  protected get isUnder(): boolean {
    return this.#under
  }

  /** From now on the person is asked before the page goes, or no longer. */
  protected under(under: boolean): void {
    this.#under = under
  }

  protected open(challenge: ChallengeMessage | null, bound: readonly string[], other: string | null): void {
    this.close()
    this.ended = 'no'
    this.screen.intro(true)
    const place = this.#section.querySelector<HTMLElement>('[data-copy-frame]')
    if (place === null) return
    const copy = this.#message(challenge, bound, other)
    const title = document.querySelector('h1')?.textContent?.trim() ?? ''
    this.frame = new CopyFrame(place, this.#vault, title, copy, {
      heard: (message) => this.#heard(message),
      unreachable: () => {
        this.frame = null
        this.screen.fail(sentence('vault-unreachable'), { word: this.screen.say('retry'), press: () => this.again() })
      },
    })
  }

  protected close(): void {
    this.frame?.close()
    this.frame = null
    this.#under = false
  }

  #message(challenge: ChallengeMessage | null, bound: readonly string[], other: string | null): CopyMessage {
    const data = this.#section.dataset
    return {
      origin: data['origin'] ?? location.origin,
      role: data['copy'] === 'send' ? 'send' : 'receive',
      lang: document.documentElement.lang as Lang,
      customer_kind: data['kind'] as CustomerKind,
      here: data['here'] === 'pc' ? 'pc' : 'phone',
      device: data['device'] ?? '',
      bound,
      other,
      challenge,
    }
  }

  #heard(message: FromFrame): void {
    switch (message.kind) {
      case 'wanted':
        return void this.#wanted(message.act, message.mailbox)
      case 'opened':
        return void this.#said('opened', { ticket: message.ticket, mailbox: message.mailbox })
      case 'paired':
        this.screen.intro(false)
        return this.under(true)
      case 'copied':
        this.under(false)
        this.screen.intro(false)
        this.ended = 'copied'
        return this.copied(message.fingerprint)
      case 'ended':
        this.under(false)
        this.screen.intro(false)
        this.ended = 'ended'
        return this.endedBy(message.code)
      case 'done':
        this.under(false)
        return this.ended === 'copied' ? this.finished() : this.again()
      case 'cancelled':
        return void this.leave()
      case 'refused':
        return this.screen.fail(sentence(message.code), { word: this.screen.say('retry'), press: () => this.again() })
      default:
        return this.own(message)
    }
  }

  async #wanted(act: 'open' | 'join', mailbox: string | null): Promise<void> {
    this.ended = 'no'
    this.screen.intro(true)
    await this.answering(async () => {
      const { ticket } = await this.ask.post(act, mailbox === null ? {} : { mailbox })
      this.frame?.say({ kind: 'ticket', ticket: String(ticket) })
    })
  }

  async #said(act: string, fields: Readonly<Record<string, string>>): Promise<Told | null> {
    return this.answering(() => this.ask.insist(act, fields, TRIES))
  }

  /** Asks something for the vault; what fails, the vault says. */
  protected async answering<T>(work: () => Promise<T>): Promise<T | null> {
    try {
      return await work()
    } catch (failure) {
      const failed = failedBy(failure)
      this.frame?.say({ kind: 'failed', code: failed.code })
      if (failed.kind === 'out') this.screen.failed(failure, null)
      this.refused(failed.code)
      return null
    }
  }

  /** 취소: the server hears it, then the choice of ways is shown, whatever it said. */
  protected async leave(): Promise<void> {
    this.under(false)
    this.frame?.say({ kind: 'close' })
    await this.ask.post('leave').catch(() => undefined)
    location.assign(COPYING)
  }

  /** 완료 in the frame: the page says what can be done next. */
  protected finished(): void {
    this.close()
    this.screen.show('copied', true)
  }

  /** Another conversation with the vault, from its beginning. */
  protected abstract again(): void
  protected abstract copied(fingerprint: string): void
  protected abstract endedBy(code: string): void
  protected abstract own(message: FromFrame): void
  /** A post for the vault was refused. */
  protected abstract refused(code: string): void
}
