/**
 * 인증서관리 on the center's page: `<section data-manage>` with the vault's frame in it (W7, B4).
 *
 * This page sees a certificate that the person asks about, and nothing else of what lies in the frame. Messages count
 * only from exactly that frame at exactly the vault's origin (B2).
 */

import { pinned } from './pin.ts'
import { manageMessage, type Place, verifiedMessage } from '../vault/manage_messages.ts'
import { comesFrom, type FromCenter, fromVault, type FromVault, MessageRefused, written } from '../vault/messages.ts'

const READY_WAIT_MS = 15_000
const FEATURES = ['clipboard-write', 'publickey-credentials-create', 'publickey-credentials-get']
const CODE = /^[a-z0-9-]{1,64}$/
const PATHS: Readonly<Record<Place, string>> = {
  revocation: '/management/revocation',
  registration: '/registration',
  copying: '/copying',
  issuance: '/issuance',
  login: '/login',
}

type Unaddressed<T> = T extends { id: string } ? Omit<T, 'id'> : never

/** Takes charge of the section, where the page has one. */
export function attachManage(root: Document): void {
  const section = root.querySelector<HTMLElement>('section[data-manage]')
  if (section !== null) new Manage(section).start()
}

class Manage {
  readonly #section: HTMLElement
  readonly #place: HTMLElement
  readonly #error: HTMLElement
  readonly #loading: HTMLElement | null
  readonly #vault: string
  #id = crypto.randomUUID()
  #frame: HTMLIFrameElement | null = null
  #patience: ReturnType<typeof setTimeout> | undefined
  #asked = 0

  constructor(section: HTMLElement) {
    this.#section = section
    this.#place = section.querySelector<HTMLElement>('[data-manage-frame]') ?? section
    this.#error = section.querySelector<HTMLElement>('[data-manage-error]') ?? section
    this.#loading = section.querySelector<HTMLElement>('[data-manage-loading]')
    this.#vault = section.dataset['vault'] ?? ''
  }

  start(): void {
    window.addEventListener('message', (event) => this.#hear(event))
    this.#section.querySelector('[data-manage-retry]')?.addEventListener('click', () => this.#open())
    this.#open()
  }

  #open(): void {
    this.#error.hidden = true
    this.#waits(true)
    const frame = document.createElement('iframe')
    frame.className = 'issue-frame'
    frame.title = this.#section.dataset['title'] ?? ''
    frame.allow = FEATURES.map((each) => `${each} ${this.#vault}`).join('; ')
    frame.referrerPolicy = 'no-referrer'
    frame.src = `${this.#vault}/window.html`
    this.#frame = frame
    this.#patience = setTimeout(() => {
      frame.remove()
      this.#waits(false)
      this.#error.hidden = false
    }, READY_WAIT_MS)
    this.#place.replaceChildren(frame)
  }

  #waits(yes: boolean): void {
    if (this.#loading !== null) this.#loading.hidden = !yes
  }

  #hear(event: MessageEvent): void {
    if (!comesFrom(event, this.#vault, this.#frame?.contentWindow ?? null)) return
    const message = readOrNull(event.data)
    if (message?.kind === 'ready') {
      clearTimeout(this.#patience)
      this.#waits(false)
      return this.#begin()
    }
    if (message === null || message.id !== this.#id) return
    if (message.kind === 'size') this.#fit(message.height)
    if (message.kind === 'lead') location.assign(PATHS[message.to])
    if (message.kind === 'verify') void this.#verify(message.certificate, this.#id)
    if (message.kind === 'pin') void pinned(message).then((answer) => this.#say(answer, answer.id))
  }

  /** A visit of its own, with its own id: what an older one is still told is nothing to this one. */
  #begin(): void {
    this.#id = crypto.randomUUID()
    const facts: unknown = JSON.parse(this.#section.dataset['manage'] ?? '{}')
    const now = new Date(Date.parse(this.#section.dataset['now'] ?? '') + performance.now())
    const told = { ...(facts as object), now: `${now.toISOString().slice(0, 19)}Z` }
    this.#say({ kind: 'manage', manage: manageMessage(told) })
  }

  #say(message: Unaddressed<FromCenter>, id: string = this.#id): void {
    this.#frame?.contentWindow?.postMessage(written({ ...message, id } as FromCenter), this.#vault)
  }

  /** The answer to an older question is nothing to a newer one. */
  async #verify(certificate: string, id: string): Promise<void> {
    this.#asked += 1
    const own = this.#asked
    const answer = await this.#answerTo(certificate)
    if (own === this.#asked) this.#say(answer, id)
  }

  async #answerTo(certificate: string): Promise<Unaddressed<FromCenter>> {
    try {
      const csrf = this.#section.dataset['csrf'] ?? ''
      const response = await fetch('/management/verify', {
        method: 'POST',
        headers: { Accept: 'application/json', 'X-Ingam-CSRF': csrf },
        body: new URLSearchParams({ certificate, csrf }),
        cache: 'no-store',
        redirect: 'error',
      })
      const told: unknown = await response.json()
      if (response.ok) return { kind: 'verified', verified: verifiedMessage(told) }
      return { kind: 'failed', code: codeOf(told) }
    } catch {
      return { kind: 'failed', code: 'outage' }
    }
  }

  /** As high as what it shows; whoever was far down in a screen that is gone sees the one that came. */
  #fit(height: number): void {
    if (this.#frame === null) return
    const { top, height: before } = this.#frame.getBoundingClientRect()
    this.#frame.style.height = `${height}px`
    if (top < 0 && height !== before) this.#section.scrollIntoView({ block: 'start' })
  }
}

function codeOf(told: unknown): string {
  const code = (told as { code?: unknown } | null)?.code
  return typeof code === 'string' && CODE.test(code) ? code : 'outage'
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
