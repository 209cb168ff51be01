/**
 * What the other device takes over: the number in three groups, and on a PC the QR; how long it lives; another one.
 *
 * It is shown, never copied to a clipboard, put into an address or sent (security C5).
 */

import { shownNumber } from '../../pure/channel/number.ts'
import type { CopyRole, Here } from '../copy_messages.ts'
import type { Invitation } from '../copy_machine.ts'
import { button, el } from '../dom.ts'
import { qrPicture } from '../scan/qr_picture.ts'
import type { Say } from '../words.ts'
import { type Countdown, countdown } from './countdown.ts'

/** Who is told. `other`: a phone reads a QR instead; a PC that shows a QR types the number instead. */
export interface InviteEvents {
  another(): void
  other(): void
  cancel(): void
}

export interface InviteScreen {
  readonly element: HTMLElement
  stop(): void
}

export interface InviteOptions {
  readonly say: Say
  readonly role: CopyRole
  readonly here: Here
  readonly invitation: Invitation
  readonly events: InviteEvents
  announce(text: string): void
}

export function inviteScreen(options: InviteOptions): InviteScreen {
  return options.role === 'receive' ? receiving(options) : sendingByQr(options)
}

/** A receiver shows the number; on a PC the QR stands beside it as long as it lives. */
function receiving({ say, here, invitation, events, announce }: InviteOptions): InviteScreen {
  const { mailbox, digits, qr, qrEnds, ends } = invitation
  const clock = countdown(say, ends, announce)
  const heading = el('h2', { tabindex: '-1', class: 'copy-title' }, say('copy-receive-title'))
  const boxes = el('div', { class: 'invitation' }, numberCard(say, mailbox, digits, clock))
  const stops = [clock.stop]
  if (qr !== null) {
    const card = qrCard(say, qr, 'copy-qr-receive')
    boxes.append(card)
    stops.push(after(qrEnds, () => card.replaceChildren(el('p', { class: 'hint' }, say('copy-qr-over')))))
  }
  const warning = el('p', { class: 'copy-warning' }, say('copy-never-tell'))
  const scan = here === 'phone' ? [button(say('copy-scan-pc'), 'secondary wide', events.other)] : []
  const element = el('div', { class: 'copy-invite' }, heading, el('p', { class: 'hint' }, say(`copy-receive-hint-${here}`)), boxes, warning)
  element.append(...scan, endsOf(say, events))
  return { element, stop: () => stops.forEach((stop) => stop()) }
}

/** A sender shows a QR and nothing else: what is typed on the other device would be typed on the wrong one. */
function sendingByQr({ say, invitation, events, announce }: InviteOptions): InviteScreen {
  const clock = countdown(say, invitation.ends, announce)
  const heading = el('h2', { tabindex: '-1', class: 'copy-title' }, say('copy-send-qr-title'))
  const card = qrCard(say, invitation.qr ?? '', 'copy-qr-send', clock.element)
  const warning = el('p', { class: 'copy-warning' }, say('copy-never-show'))
  const element = el('div', { class: 'copy-invite' }, heading, el('div', { class: 'invitation' }, card), warning)
  element.append(button(say('copy-type-instead'), 'secondary wide', events.other), endsOf(say, events))
  return { element, stop: clock.stop }
}

function endsOf(say: Say, { another, cancel }: InviteEvents): HTMLElement {
  return el('div', { class: 'ends inline' }, button(say('cancel'), 'secondary', cancel), button(say('copy-another'), 'secondary', another))
}

/** Digits one by one for a screen reader, four together for the eye. */
function numberCard(say: Say, mailbox: string, digits: string, clock: Countdown): HTMLElement {
  const groups = shownNumber(mailbox, digits).split(' ').map((group) => el('span', {}, group))
  const seen = el('p', { class: 'copy-digits', 'aria-hidden': 'true', translate: 'no' }, ...groups)
  const said = el('p', { class: 'unseen', id: 'number-said' }, [...(mailbox + digits)].join(' '))
  return el('div', { class: 'invitation-card' }, el('h3', {}, say('copy-number')), seen, said, clock.element)
}

function qrCard(say: Say, text: string, lead: string, ...more: readonly Node[]): HTMLElement {
  const picture = el('div', { class: 'copy-qr' })
  picture.append(qrPicture(text, say('copy-qr-label')))
  return el('div', { class: 'invitation-card' }, el('h3', {}, say(lead)), picture, ...more)
}

function after(instant: number, act: () => void): () => void {
  const timer = setTimeout(act, Math.max(0, instant - performance.now()))
  return () => clearTimeout(timer)
}
