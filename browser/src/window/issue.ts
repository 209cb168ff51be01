/**
 * ⑤ and ⑥ on the center's page: `<section data-issue>` with the vault's frame in it, `<form data-product>` beside it;
 * and with `data-renews` the same of a renewal, where the vault chooses first what is renewed.
 *
 * This page sees the SHA-256 of a public key and sealed or signed messages that it carries, never a key, a password or
 * R (security B1, D1). Messages count only from exactly that frame at exactly the vault's origin (B2). Whatever fails
 * on the way is sent again as it was: nothing is made twice.
 */

import { comesFrom, fromVault, type FromCenter, type FromVault, MessageRefused, written } from '../vault/messages.ts'
import { type IssueMessage, issueMessage, registeredMessage } from '../vault/issue_messages.ts'
import { measuredMessage, type RenewMessage, renewMessage } from '../vault/renew_messages.ts'
import { words } from '../generated/page_words.ts'
import type { PinFromVault } from '../vault/pin_messages.ts'
import { Asking, type Failed } from './issue_asking.ts'
import { IssueScreen } from './issue_screen.ts'
import { pinned } from './pin.ts'

const READY_WAIT_MS = 15_000
const FEATURES = ['clipboard-write', 'publickey-credentials-create', 'publickey-credentials-get']

/** Takes charge of the section, where the page has one. */
export function attachIssue(root: Document): void {
  const section = root.querySelector<HTMLElement>('section[data-issue]')
  if (section !== null) new Issue(section).start()
}

class Issue {
  readonly #section: HTMLElement
  readonly #form: HTMLFormElement | null
  readonly #screen: IssueScreen
  readonly #ask: Asking
  readonly #vault: string
  readonly #id = crypto.randomUUID()
  #frame: HTMLIFrameElement | null = null
  readonly #renews: boolean
  #issue: IssueMessage | null = null
  #renew: RenewMessage | null = null
  #patience: ReturnType<typeof setTimeout> | undefined
  /** Whether the certificate that was renewed had a 간편비밀번호, which the last page speaks of. */
  #simple = false
  /** Once the authority may be asked, the person is warned before the page goes. */
  #under = false

  constructor(section: HTMLElement) {
    this.#section = section
    this.#renews = section.dataset['renews'] !== undefined
    this.#form = document.querySelector<HTMLFormElement>('form[data-product]')
    this.#vault = section.dataset['vault'] ?? document.documentElement.dataset['vault'] ?? ''
    this.#screen = new IssueScreen(section, this.#form, (name) => this.#word(name))
    this.#ask = new Asking(section.dataset)
  }

  start(): void {
    window.addEventListener('message', (event) => this.#hear(event))
    window.addEventListener('beforeunload', (event) => {
      if (this.#under) event.preventDefault()
    })
    // Out of the browser's memory the page would talk about a state that is long gone.
    window.addEventListener('pageshow', (event) => {
      if (event.persisted) location.reload()
    })
    this.#form?.addEventListener('change', () => this.#screen.price())
    this.#form?.addEventListener('submit', (event) => this.#submitted(event), { capture: true })
    this.#screen.show('key')
    this.#open()
  }

  /** What `issue` says comes from our own server; then the frame, which answers `ready`. */
  #open(): void {
    this.#screen.wait(this.#word('issue-loading'))
    this.#sending(
      () => this.#ask.issue(),
      (told) => {
        if (this.#renews) this.#renew = renewMessage(told)
        else this.#issue = issueMessage(told)
        this.#embed()
      },
    )
  }

  #embed(): void {
    const frame = document.createElement('iframe')
    frame.className = 'issue-frame'
    frame.title = this.#word('issue-frame-title')
    frame.allow = FEATURES.map((each) => `${each} ${this.#vault}`).join('; ')
    frame.referrerPolicy = 'no-referrer'
    frame.src = `${this.#vault}/window.html`
    this.#frame = frame
    this.#patience = setTimeout(() => {
      frame.remove()
      this.#screen.fail(sentence('vault-unreachable'), { word: say('issue-again'), press: () => this.#open() })
    }, READY_WAIT_MS)
    this.#section.append(frame)
  }

  #hear(event: MessageEvent): void {
    if (!comesFrom(event, this.#vault, this.#frame?.contentWindow ?? null)) return
    const message = readOrNull(event.data)
    if (message === null || (message.kind !== 'ready' && message.id !== this.#id)) return
    this.#answer(message)
  }

  #answer(message: FromVault): void {
    switch (message.kind) {
      case 'ready':
        return this.#begin()
      case 'size':
        this.#frame!.style.height = `${message.height}px`
        return
      case 'made':
        return this.#made(message.spki)
      case 'renewing':
        return this.#made(message.spki, message.fingerprint)
      case 'carry':
        return this.#carry(message.message)
      case 'issued':
        this.#under = false
        this.#screen.wait('')
        this.#screen.show('issued')
        return this.#section.scrollIntoView({ block: 'start' })
      case 'done':
        this.#under = false
        return location.replace(this.#simple ? `${this.#ask.base}?simple=1` : this.#ask.base)
      case 'pin':
        return void this.#pinned(message)
      case 'cancelled':
        this.#under = false
        return this.#leave()
      case 'refused':
        return this.#screen.fail(sentence(message.code), null)
      default:
        return
    }
  }

  #begin(): void {
    clearTimeout(this.#patience)
    this.#screen.wait('')
    const id = this.#id
    if (this.#renew !== null) this.#say({ kind: 'renew', id, renew: this.#renew })
    if (this.#issue !== null) this.#say({ kind: 'issue', id, issue: this.#issue })
  }

  #say(message: FromCenter): void {
    this.#frame?.contentWindow?.postMessage(written(message), this.#vault)
  }

  /** ⑤ is done: the center hears which key it is, and ⑥ opens; or it was registered before, and goes on by itself. */
  #made(spki: string, renews?: string): void {
    const stands = this.#stands()
    if (stands === 'requested' || stands === 'delivered') return this.#register(new FormData(), true)
    if (spki === this.#issue?.spki && stands === 'product') return this.#choose()
    this.#sending(
      () => this.#ask.key(spki, renews),
      (product) => {
        if (product !== null) this.#screen.settle(product)
        this.#choose()
      },
    )
  }

  /** A text of a renewal where it is one and has its own, else that of an issue. */
  #word(name: string): string {
    const own = name.replace(/^issue-/, 'renew-')
    return say(this.#renews && `vault.${own}` in table() ? own : name)
  }

  #stands(): IssueMessage['state'] {
    return (this.#issue ?? this.#renew)?.state ?? 'key'
  }

  #choose(): void {
    this.#screen.show('product')
    this.#screen.price()
    this.#screen.choose()
  }

  #submitted(event: SubmitEvent): void {
    // Before anything else on the page sees it: to them it is no submission.
    event.preventDefault()
    event.stopImmediatePropagation()
    if (this.#form !== null && !this.#under) this.#register(new FormData(this.#form), false)
  }

  /** 확인 at ⑥: the center registers person, product and key at the authority, and the vault goes on with its codes. */
  #register(fields: FormData, again: boolean): void {
    this.#under = true
    this.#screen.busy(true)
    this.#sending(
      () => this.#ask.product(fields, again),
      (told) => {
        const window = payment(told)
        if (window !== null) {
          this.#under = false
          return location.assign(window)
        }
        this.#screen.show('issuing')
        this.#screen.wait(this.#word('issue-wait'))
        const id = this.#id
        if (this.#renews) this.#say({ kind: 'measured', id, measured: measuredMessage(told) })
        else this.#say({ kind: 'registered', id, registered: registeredMessage(told) })
      },
      () => {
        // Nothing was registered: another choice may be made.
        this.#under = false
        this.#screen.busy(false)
      },
    )
  }

  #carry(message: string): void {
    this.#under = true
    this.#screen.show('issuing')
    this.#screen.wait(this.#word('issue-wait'))
    this.#sending(
      () => this.#ask.carry(message),
      ({ message: answer, idn }) => {
        const carried = { id: this.#id, message: answer }
        this.#say(this.#renews && idn !== null ? { kind: 'brought', ...carried, idn } : { kind: 'carried', ...carried })
      },
      ({ code }) => {
        this.#under = false
        this.#screen.wait('')
        this.#say({ kind: 'failed', id: this.#id, code })
      },
    )
  }

  /** Sends; where nobody answers or a party is down, the very same may be sent again. `refused`: what then is undone. */
  #sending<T>(send: () => Promise<T>, then: (told: T) => void, refused: (failed: Failed) => void = () => undefined): void {
    this.#screen.clear()
    void send().then(
      (told) => then(told),
      (failure: unknown) => {
        const failed = this.#ask.failed(failure)
        // Not at the very start: a page that does not fit its own state would load itself for ever.
        if (failed.kind === 'elsewhere' && (this.#issue ?? this.#renew) !== null) {
          this.#under = false
          return location.replace(this.#ask.base)
        }
        const text = failed.sentence || sentence(failed.code)
        if (failed.kind !== 'away') {
          refused(failed)
          return this.#screen.fail(text, null)
        }
        const press = (): void => this.#sending(send, then, refused)
        this.#screen.busy(false)
        this.#screen.fail(text, { word: say('issue-again'), press })
      },
    )
  }

  /** A renewed certificate's 간편비밀번호 goes with the old record. */
  async #pinned(message: PinFromVault): Promise<void> {
    if (!this.#renews) return
    if (message.ask.act === 'remove') this.#simple = true
    this.#say(await pinned(message))
  }

  /** 취소 in the frame: as the page's own button does it, where there is one. */
  #leave(): void {
    const form = document.querySelector<HTMLFormElement>('form#cancel')
    if (form !== null) form.requestSubmit()
    else location.assign(this.#ask.base)
  }
}

/** The address of the payment provider's window, where the fee is to be allowed first. */
function payment(told: unknown): string | null {
  const pay = (told as { pay?: unknown } | null)?.pay
  return typeof pay === 'string' && /^https?:\/\//.test(pay) ? pay : null
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

function table(): Record<string, string> {
  return words[document.documentElement.lang === 'en' ? 'en' : 'ko']
}

function say(name: string): string {
  return table()[`vault.${name}`] ?? name
}

function sentence(code: string): string {
  return table()[`vault.why-${code}`] ?? table()[`refusal.${code}`] ?? table()['refusal.outage'] ?? code
}
