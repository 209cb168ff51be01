/**
 * The conduct of a copy: the machine moves, this does what it asks for, and what comes of it moves it on (C8, C13).
 *
 * One copy at a time in a browser. The frame that goes away, or a reload, ends the run. Nothing but the storage of the
 * receiving device, read back, makes 복사 완료.
 */

import { Refusal } from '../pure/failure.ts'
import { type Code, readNumber } from '../pure/channel/number.ts'
import { Certificate } from '../pure/npki/certificate.ts'
import { alone } from './alone.ts'
import { asked } from './asked.ts'
import type { Tell } from './channel.ts'
import { advance, type Effect, type Event, type Meeting, type State } from './copy_machine.ts'
import { type CopyMessage, ticketFacts } from './copy_messages.ts'
import { CopyReceiver } from './copy_receiver.ts'
import { CopyRun, type RunEvents } from './copy_run.ts'
import { CopySender } from './copy_sender.ts'
import { type CopyEvents, CopyView } from './copy_view.ts'
import type { FromCenter } from './messages.ts'
import { PinUse } from './pin.ts'
import { pinLine } from './pin_line.ts'
import type { Origins } from './settings.ts'

/** For how long the center's page, and the other device, may leave a state without a word. */
const PATIENCE_MS: Partial<Record<State['at'], number>> = {
  renewing: 20_000,
  vouching: 30_000,
  fetching: 20_000,
  // The link itself gives up after thirty seconds, and says it better.
  dialing: 35_000,
  judging: 30_000,
  keying: 30_000,
}
/** For how long the words may be compared (copy session table). */
const COMPARE_MS = 60_000

/** One copy, from the `copy` message to its end. */
export class CopyDesk {
  readonly #origins: Origins
  readonly #tell: Tell
  readonly #id: string
  readonly #copy: CopyMessage
  readonly #view: CopyView
  readonly #sender: CopySender | null
  readonly #receiver: CopyReceiver
  #state: State = { at: 'opening' }
  #run: CopyRun | null = null
  #ticket = ''
  #code: Code | null = null
  #timer: ReturnType<typeof setTimeout> | null = null
  #release: (() => void) | null = null
  #closed = false

  /** Opens it. Throws Refusal where another center asks, or its challenge is none, and then shows nothing. */
  constructor(origins: Origins, tell: Tell, id: string, copy: CopyMessage) {
    if (copy.origin !== origins.center) throw new Refusal('challenge-origin')
    const request = copy.challenge === null ? null : asked(copy.challenge, origins.center, performance.now())
    this.#origins = origins
    this.#tell = tell
    this.#id = id
    this.#copy = copy
    this.#view = new CopyView(copy, this.#events(), (height) => tell({ kind: 'size', id, height }))
    const on = (event: Event): void => this.#on(event)
    const pin = new PinUse(pinLine(tell, () => id), origins.center)
    this.#sender = request === null ? null : new CopySender(origins.center, request, copy.bound, this.#view, on, pin)
    this.#receiver = new CopyReceiver(this.#view, on)
    this.#view.draw(this.#state)
    window.addEventListener('pagehide', this.#gone)
    void this.#begin()
  }

  get closed(): boolean {
    return this.#closed
  }

  /** What the center says to this conversation. */
  hear(message: FromCenter): void {
    if (message.id !== this.#id || this.#closed) return
    if (message.kind === 'accepted') this.#on({ on: 'accepted' })
    if (message.kind === 'failed') this.#on({ on: 'failed', code: message.code })
    if (message.kind === 'renewed' && this.#state.at === 'renewing') this.#sender?.renewed(message.challenge)
    if (message.kind === 'ticket' && this.#state.at === 'fetching') {
      ticketFacts(message.ticket)
      this.#ticket = message.ticket
      this.#on({ on: 'ticket' })
    }
  }

  /** The person or the center ends it. */
  cancel(): void {
    this.#on({ on: 'left' })
  }

  /** Takes it away without a word, for a newer one. */
  discard(): void {
    this.#run?.hangUp()
    this.#end()
  }

  /** The page goes: the other device hears it at once, and nothing is left to go on with (C8). */
  readonly #gone = (): void => {
    this.#run?.hangUp()
    this.#on({ on: 'over', trouble: { code: 'copy-cancelled', facts: {} } })
  }

  async #begin(): Promise<void> {
    this.#release = await alone('ingam-copy')
    const isAlone = this.#release !== null
    const can = this.#copy.role === 'send' || (isAlone && (await this.#receiver.ready()))
    await this.#sender?.begin()
    this.#on({ on: 'opened', role: this.#copy.role, alone: isAlone, can })
  }

  #events(): CopyEvents {
    const left = (): void => this.cancel()
    const invite = (): void => this.#on({ on: 'invite' })
    const scan = (): void => this.#on({ on: 'scan' })
    const back = (): void => this.#on({ on: 'back' })
    const { role, here } = this.#copy
    return {
      choose: {
        choose: (entryId) => this.#sender?.choose(entryId),
        bring: (picked) => this.#sender?.bring(picked),
        confirm: () => void this.#sender?.confirm(),
        cancel: left,
      },
      number: { typed: (digits) => this.#typed(digits), other: here === 'pc' ? invite : scan, cancel: left },
      invite: { another: invite, other: role === 'send' ? back : scan, cancel: left },
      scan: { scanned: (code) => this.#join(code), back, cancel: left },
      words: { agreed: () => this.#on({ on: 'agreed' }), differ: () => this.#on({ on: 'differ' }) },
      replace: { replace: () => this.#on({ on: 'replace' }), decline: () => this.#on({ on: 'decline' }) },
      copied: { attempt: (password) => this.#attempt(password), done: left },
      again: () => this.#on({ on: 'again' }),
      leave: left,
    }
  }

  #typed(digits: string): void {
    this.#join(readNumber(digits))
  }

  #join(code: Code): void {
    this.#code = code
    this.#on({ on: code.mode === 'n' ? 'typed' : 'scanned', mailbox: code.mailbox })
  }

  #attempt(password: Uint8Array): void {
    const state = this.#state
    if (state.at === 'copied' && state.record !== null) void this.#receiver.attempt(state.record, password)
  }

  #on(event: Event): void {
    if (this.#closed) return
    const before = this.#state
    const { state, effects } = advance(this.#copy.role, before, event)
    this.#state = state
    if (state !== before) this.#entered(state)
    for (const effect of effects) this.#do(effect)
  }

  #entered(state: State): void {
    this.#watch(state)
    if (state.at === 'comparing') this.#view.compareUntil = performance.now() + COMPARE_MS
    // Another window may begin; one that may go on with another number stays the one.
    if (state.at === 'copied' || (state.at === 'ended' && !state.retry)) this.#giveBack()
    this.#view.draw(state)
  }

  /** Nobody waits for ever: for the center, for the other device, for the person to compare. */
  #watch({ at }: State): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    const comparing = at === 'comparing' && this.#copy.role === 'send'
    const patience = comparing ? COMPARE_MS : PATIENCE_MS[at]
    if (patience !== undefined) this.#timer = setTimeout(() => this.#late(at), patience)
  }

  #late(at: State['at']): void {
    if (at !== 'comparing' && at !== 'keying' && at !== 'dialing') return this.#on({ on: 'failed', code: 'outage' })
    this.#run?.hangUp()
    const code = { comparing: 'copy-words-over', keying: 'copy-peer-gone', dialing: 'relay-outage' }[at]
    this.#on({ on: 'over', trouble: { code, facts: {} } })
  }

  #do(effect: Effect): void {
    const id = this.#id
    switch (effect.do) {
      case 'renew':
        this.#sender?.renewing()
        return this.#tell({ kind: 'expired', id })
      case 'prove':
        return void this.#sender?.prove()
      case 'tell-proved':
        return this.#tell({ kind: 'proved', id, ...this.#sender!.proof() })
      case 'tell-wanted':
        return this.#wanted(effect.meeting)
      case 'dial':
        return this.#dial()
      case 'hang-up':
        return this.#run?.hangUp()
      case 'tell-opened':
        return this.#tell({ kind: 'opened', id, mailbox: effect.mailbox, ticket: ticketFacts(this.#ticket).id })
      case 'tell-paired':
        return this.#tell({ kind: 'paired', id })
      case 'send':
        return this.#run?.agree(this.#sender!.payload)
      case 'examine':
        return void this.#receiver.examine()
      case 'tell-arrived':
        return this.#arrived()
      case 'ask':
        return this.#run?.asked()
      case 'store':
        return void this.#receiver.store(effect.arrival)
      case 'refuse':
        return this.#run?.refuse(effect.code)
      case 'acknowledge':
        return this.#run?.stored(this.#receiver.digest)
      case 'tell-copied':
        return this.#copied()
      case 'tell-ended':
        return this.#tell({ kind: 'ended', id, code: effect.code })
      case 'tell-done':
        this.#tell({ kind: 'done', id })
        return this.#end()
      case 'tell-cancelled':
        this.#tell({ kind: 'cancelled', id })
        return this.#end()
    }
  }

  #wanted({ act, mailbox }: Meeting): void {
    if (act === 'open') this.#code = null
    const id = this.#id
    this.#tell(mailbox === null ? { kind: 'wanted', id, act: 'open', mailbox } : { kind: 'wanted', id, act: 'join', mailbox })
  }

  #dial(): void {
    if (this.#state.at !== 'dialing') return
    this.#view.away(null)
    const { role, device, here } = this.#copy
    const { relay } = this.#origins
    const showQr = role === 'send' || here === 'pc'
    const { meeting } = this.#state
    const dialing = { relay, role, device, meeting, ticket: this.#ticket, code: this.#code, showQr }
    this.#run = new CopyRun(dialing, this.#heard())
    // The digits are the run's from here.
    this.#code = null
  }

  #heard(): RunEvents {
    return {
      invited: (invitation) => this.#on({ on: 'invited', invitation }),
      lapsed: (code, facts) => this.#on({ on: 'lapse', trouble: { code, facts } }),
      met: () => this.#on({ on: 'met' }),
      words: (words, device) => {
        // What the center calls it stands; how the other device calls itself is only its own word (C3).
        if (this.#copy.other === null) this.#view.device = device
        this.#on({ on: 'words', words })
      },
      asking: () => this.#on({ on: 'asking' }),
      delivered: (payload) => this.#receiver.deliver(payload),
      acknowledged: () => this.#acknowledged(),
      over: (code, facts) => this.#on({ on: 'over', trouble: { code, facts } }),
      away: (whose) => this.#view.away(whose),
    }
  }

  /** The sender's success: the digest of what the other device read back is that of what was sent. */
  #acknowledged(): void {
    if (this.#sender === null) return
    this.#view.result = { certificate: this.#sender.payload.certificate, kept: false }
    this.#on({ on: 'acknowledged' })
  }

  #arrived(): void {
    if (this.#state.at !== 'judging') return
    const { fingerprintHex } = new Certificate(this.#state.arrival.certificate)
    this.#tell({ kind: 'arrived', id: this.#id, fingerprint: fingerprintHex })
  }

  #copied(): void {
    const { fingerprintHex } = new Certificate(this.#view.result.certificate)
    this.#tell({ kind: 'copied', id: this.#id, fingerprint: fingerprintHex, role: this.#copy.role })
  }

  #giveBack(): void {
    this.#release?.()
    this.#release = null
  }

  #end(): void {
    this.#closed = true
    if (this.#timer !== null) clearTimeout(this.#timer)
    window.removeEventListener('pagehide', this.#gone)
    this.#giveBack()
    this.#run?.end()
    this.#view.close()
  }
}
