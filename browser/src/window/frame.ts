/**
 * The center page's end of the certificate window: a dialog with the vault's frame in it (security B1, B2).
 *
 * This page sees a signature and a sealed blob, never a key, a password or R. Messages count only from exactly that
 * frame at exactly the vault's origin.
 */

import { type ChallengeMessage, comesFrom, fromVault, type FromVault, written } from '../vault/messages.ts'
import type { PinFromVault } from '../vault/pin_messages.ts'
import { pinned } from './pin.ts'

const READY_WAIT_MS = 10_000
const FEATURES = ['clipboard-write', 'publickey-credentials-get']

// The person confirms once per challenge; more than this is a loop, not a person.
const RENEWALS_MOST = 5

/** How it ended. `code`: of a refusal of the vault or the server, or `vault-unreachable`; `sentence`: the server's own. */
export type Outcome =
  | { readonly kind: 'signed'; readonly signed: string; readonly sealed: string | null; readonly nonce: string }
  | { readonly kind: 'cancelled' }
  | { readonly kind: 'failed'; readonly code: string; readonly sentence?: string }

/** What the dialog needs. `renew` asks the server for another challenge when the first one ran out. */
export interface Opening {
  readonly vault: string
  readonly challenge: ChallengeMessage
  readonly title: string
  readonly loading: string
  renew(): Promise<ChallengeMessage>
}

/** Opens the window and answers when it is over; the focus returns to what had it. */
export function openWindow(opening: Opening): Promise<Outcome> {
  return new Promise((resolve) => new Conversation(opening, resolve))
}

class Conversation {
  readonly #opening: Opening
  readonly #resolve: (outcome: Outcome) => void
  readonly #dialog = document.createElement('dialog')
  readonly #frame = document.createElement('iframe')
  readonly #from = document.activeElement
  readonly #id = crypto.randomUUID()
  readonly #over = new AbortController()
  readonly #patience: ReturnType<typeof setTimeout>
  #challenge: ChallengeMessage
  #renewals = 0

  constructor(opening: Opening, resolve: (outcome: Outcome) => void) {
    this.#opening = opening
    this.#resolve = resolve
    this.#challenge = opening.challenge
    const { signal } = this.#over
    window.addEventListener('message', (event) => this.#hear(event), { signal })
    // Esc while the frame is still loading, or with the focus on our side.
    this.#dialog.addEventListener('cancel', (event) => {
      event.preventDefault()
      this.#end({ kind: 'cancelled' })
    })
    this.#patience = setTimeout(() => this.#end({ kind: 'failed', code: 'vault-unreachable' }), READY_WAIT_MS)
    this.#draw()
  }

  #draw(): void {
    const waiting = document.createElement('p')
    waiting.className = 'certificate-window-loading'
    waiting.setAttribute('role', 'status')
    waiting.textContent = this.#opening.loading
    this.#frame.title = this.#opening.title
    this.#frame.allow = FEATURES.map((each) => `${each} ${this.#opening.vault}`).join('; ')
    this.#frame.referrerPolicy = 'no-referrer'
    this.#frame.src = `${this.#opening.vault}/window.html`
    this.#dialog.className = 'certificate-window'
    this.#dialog.setAttribute('aria-label', this.#opening.title)
    this.#dialog.append(waiting, this.#frame)
    document.body.append(this.#dialog)
    this.#dialog.showModal()
    document.documentElement.classList.add('certificate-window-open')
  }

  #hear(event: MessageEvent): void {
    if (!comesFrom(event, this.#opening.vault, this.#frame.contentWindow)) return
    const message = fromVault(event.data)
    if (message.kind !== 'ready' && message.id !== this.#id) return
    this.#answer(message)
  }

  #answer(message: FromVault): void {
    if (message.kind === 'ready') return this.#ask()
    if (message.kind === 'expired') return void this.#renew()
    if (message.kind === 'cancelled') return this.#end({ kind: 'cancelled' })
    if (message.kind === 'refused') return this.#end({ kind: 'failed', code: message.code })
    if (message.kind === 'pin') return void this.#carry(message)
    if (message.kind !== 'signed') return
    const { signed, sealed } = message
    this.#end({ kind: 'signed', signed, sealed, nonce: this.#challenge.nonce })
  }

  #ask(): void {
    clearTimeout(this.#patience)
    this.#dialog.classList.add('ready')
    this.#frame.focus()
    const message = written({ kind: 'sign', id: this.#id, challenge: this.#challenge })
    this.#frame.contentWindow?.postMessage(message, this.#opening.vault)
  }

  /** 간편비밀번호: what the vault asks the center, and the answer. */
  async #carry(message: PinFromVault): Promise<void> {
    const answer = await pinned(message)
    if (!this.#over.signal.aborted) this.#frame.contentWindow?.postMessage(written(answer), this.#opening.vault)
  }

  async #renew(): Promise<void> {
    this.#renewals += 1
    if (this.#renewals > RENEWALS_MOST) return this.#end({ kind: 'failed', code: 'outage' })
    try {
      this.#challenge = await this.#opening.renew()
      if (!this.#over.signal.aborted) this.#ask()
    } catch (failure) {
      this.#end(failedBy(failure))
    }
  }

  #end(outcome: Outcome): void {
    if (this.#over.signal.aborted) return
    this.#over.abort()
    clearTimeout(this.#patience)
    document.documentElement.classList.remove('certificate-window-open')
    this.#dialog.close()
    // The frame goes, and with it whatever was typed in it.
    this.#dialog.remove()
    if (this.#from instanceof HTMLElement) this.#from.focus()
    this.#resolve(outcome)
  }
}

/** The end that a failed request for a challenge means. */
export function failedBy(failure: unknown): Outcome {
  if (!(failure instanceof ChallengeFailure)) return { kind: 'failed', code: 'outage' }
  return { kind: 'failed', code: failure.code, sentence: failure.sentence }
}

/** The server gave no challenge: its code and its own sentence for the person. */
export class ChallengeFailure extends Error {
  readonly code: string
  readonly sentence: string

  constructor(code: string, sentence: string) {
    super(code)
    this.name = 'ChallengeFailure'
    this.code = code
    this.sentence = sentence
  }
}
