/**
 * The vault's frame on a page of a copy, and the conversation with it.
 *
 * This page sees tickets, five digits and fingerprints; the secret of a number or a QR code never leaves the frame (C5).
 * Messages count only from exactly that frame at exactly the vault's origin (B2).
 */

import type { CopyMessage } from '../vault/copy_messages.ts'
import type { PinFromVault } from '../vault/pin_messages.ts'
import { pinned } from './pin.ts'
import { comesFrom, fromVault, type FromCenter, type FromVault, MessageRefused, written } from '../vault/messages.ts'

const READY_WAIT_MS = 15_000
/** Another screen, not another line. */
const SHRUNK_PX = 60
const FEATURES = ['camera', 'clipboard-write', 'publickey-credentials-create', 'publickey-credentials-get']

/** What a page does with what its frame says. `unreachable`: it never answered, and is gone. */
export interface Hearing {
  heard(message: Exclude<FromVault, { kind: 'ready' | 'size' | 'pin' }>): void
  unreachable(): void
}

type Unaddressed<T> = T extends { id: string } ? Omit<T, 'id'> : never

export class CopyFrame {
  readonly #vault: string
  readonly #hearing: Hearing
  readonly #frame = document.createElement('iframe')
  readonly #id = crypto.randomUUID()
  readonly #over = new AbortController()
  readonly #patience: ReturnType<typeof setTimeout>

  /** Embeds it; it is told `copy` as soon as it answers. */
  constructor(place: HTMLElement, vault: string, title: string, copy: CopyMessage, hearing: Hearing) {
    this.#vault = vault
    this.#hearing = hearing
    this.#frame.className = 'issue-frame'
    this.#frame.title = title
    this.#frame.allow = FEATURES.map((each) => `${each} ${vault}`).join('; ')
    this.#frame.referrerPolicy = 'no-referrer'
    this.#frame.src = `${vault}/window.html`
    this.#patience = setTimeout(() => {
      this.close()
      hearing.unreachable()
    }, READY_WAIT_MS)
    window.addEventListener('message', (event) => this.#hear(event, copy), { signal: this.#over.signal })
    place.replaceChildren(this.#frame)
  }

  say(message: Unaddressed<FromCenter>): void {
    if (this.#over.signal.aborted) return
    this.#frame.contentWindow?.postMessage(written({ ...message, id: this.#id } as FromCenter), this.#vault)
  }

  /** It goes, with whatever was typed in it and its line to the relay. */
  close(): void {
    clearTimeout(this.#patience)
    this.#over.abort()
    this.#frame.remove()
  }

  #hear(event: MessageEvent, copy: CopyMessage): void {
    if (!comesFrom(event, this.#vault, this.#frame.contentWindow)) return
    const message = readOrNull(event.data)
    if (message === null || (message.kind !== 'ready' && message.id !== this.#id)) return
    if (message.kind === 'ready') {
      clearTimeout(this.#patience)
      this.say({ kind: 'copy', copy })
    } else if (message.kind === 'size') this.#fit(message.height)
    else if (message.kind === 'pin') void this.#carry(message)
    else this.#hearing.heard(message)
  }

  /** 간편비밀번호: what the vault asks the center, and the answer. */
  async #carry(message: PinFromVault): Promise<void> {
    this.say(await pinned(message))
  }

  /** As high as what it shows; whoever was far down in a screen that is gone sees the one that came. */
  #fit(height: number): void {
    const { top, height: before } = this.#frame.getBoundingClientRect()
    this.#frame.style.height = `${height}px`
    if (top < 0 && height < before - SHRUNK_PX) this.#frame.scrollIntoView({ block: 'nearest' })
  }
}

/** What is not on the list is nothing to us: tools of a browser talk between windows, too. */
function readOrNull(data: unknown): FromVault | null {
  try {
    return fromVault(data)
  } catch (failure) {
    if (failure instanceof MessageRefused) return null
    throw failure
  }
}
