/**
 * The question to the center about a certificate's state: asked when the person presses for it, and never before.
 *
 * A certificate has its owner's name in it. What comes without an open question is nothing to the screen.
 */

import type { Certificate } from '../pure/npki/certificate.ts'
import { toBase64 } from './base64.ts'
import type { Finding } from './screens/manage_verify.ts'
import type { Say } from './words.ts'

/** For how long the center may leave a question without an answer. */
const PATIENCE_MS = 25_000

/** `ask` the center about a certificate (base64 of its DER); `show` where the question stands. */
export interface StatusEvents {
  readonly say: Say
  sentence(code: string): string
  ask(certificate: string): void
  show(finding: Finding): void
}

export class StatusQuestion {
  readonly #events: StatusEvents
  #certificate: Certificate | null = null
  #patience: ReturnType<typeof setTimeout> | null = null

  constructor(events: StatusEvents) {
    this.#events = events
  }

  /** A screen about this one came: it has not been asked for. */
  about(certificate: Certificate): void {
    this.end()
    this.#certificate = certificate
    this.#events.show({ verdict: 'open', text: this.#events.say('manage-status-unasked') })
  }

  /** The person wants to know. One question at a time. */
  press(): void {
    if (this.#certificate === null || this.#patience !== null) return
    this.#events.show({ verdict: 'waits', text: this.#events.say('manage-status-waits') })
    this.#patience = setTimeout(() => this.unanswered('outage'), PATIENCE_MS)
    this.#events.ask(toBase64(this.#certificate.der))
  }

  /** An answer came; whether there was a question to it. */
  answered(): boolean {
    if (this.#patience === null) return false
    clearTimeout(this.#patience)
    this.#patience = null
    return true
  }

  /** No answer will come, for this reason. */
  unanswered(code: string): void {
    if (this.answered()) this.#events.show({ verdict: 'open', text: this.#events.sentence(code) })
  }

  /** Nothing is asked about any more. */
  end(): void {
    this.answered()
    this.#certificate = null
  }
}
