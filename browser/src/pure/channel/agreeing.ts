/**
 * From the other side's presence to a key that both have proved: HELLO, SHARE_A, SHARE_B, CONFIRM (security C6–C8).
 *
 * Each function takes the one message that comes next and throws ChannelBroken for any other.
 */

import { join, same } from '../octets.ts'
import { generator, secretPoint, sessionKey, share } from './cpace.ts'
import {
  readConfirm,
  readHello,
  readShareA,
  readShareB,
  type ShareA,
  VERSION,
  writeConfirm,
  writeHello,
  writeShareA,
  writeShareB,
} from './frames.ts'
import { ChannelBroken } from './lv.ts'
import type { Mode } from './number.ts'
import {
  associatedData,
  channelIdentifier,
  checkWords,
  commitmentOf,
  fits,
  type Keys,
  keysOf,
  passwordString,
  type Role,
  transcriptHash,
} from './schedule.ts'
import { type Effect, type In, type Own, type ReceiverAlleges, type SenderAlleges, type Step, to } from './states.ts'

/** Both are there: a receiver speaks first. */
export function greet(own: Own, mailbox: string): Step {
  if (own.role === 'sender') return to({ at: 'awaitingPeer', own, mailbox, hello: null })
  const hello = writeHello({ versions: Uint8Array.of(VERSION), nonce: own.nonce, device: own.device })
  return to({ at: 'awaitingPeer', own, mailbox, hello }, { do: 'send', body: hello })
}

/** HELLO at a sender, SHARE_A at a receiver. */
export function allege(state: In<'awaitingPeer'>, body: Uint8Array): Step {
  return state.hello === null ? shareAsSender(state, body) : shareAsReceiver(state, state.hello, body)
}

/** SHARE_B at a sender, CONFIRM at a receiver. */
export function confirm(state: In<'keyAlleged'>, body: Uint8Array): Step {
  return state.role === 'sender' ? confirmAsSender(state, body) : confirmAsReceiver(state, body)
}

/** The mode that the joining side fixed (C7); a sender that opens shows a QR only. */
function modeOf({ qr }: Own): Mode {
  return qr === null ? 'n' : 'q'
}

function takes({ opened, qr }: Own, mode: Mode): boolean {
  return mode === 'q' ? qr !== null : opened
}

function shareAsSender({ own, mailbox }: In<'awaitingPeer'>, hello: Uint8Array): Step {
  const { versions, nonce } = readHello(hello)
  if (!versions.includes(VERSION)) return unknownVersion()
  if (same(nonce, own.nonce)) throw new ChannelBroken()
  const mode = modeOf(own)
  const point = share(own.scalar, base(own, mode, mailbox, join(nonce, own.nonce)))
  const commitment = commitmentOf(own.lot)
  const shareA = writeShareA({ version: VERSION, mode, nonce: own.nonce, point, commitment, device: own.device })
  const state = { at: 'keyAlleged', role: 'sender', scalar: own.scalar, lot: own.lot, mode, hello, shareA } as const
  return to(state, { do: 'send', body: shareA })
}

function shareAsReceiver({ own, mailbox }: In<'awaitingPeer'>, hello: Uint8Array, shareA: Uint8Array): Step {
  const theirs = readShareA(shareA)
  if (theirs.version !== VERSION) return unknownVersion()
  if (same(theirs.nonce, own.nonce) || !takes(own, theirs.mode)) throw new ChannelBroken()
  const point = share(own.scalar, base(own, theirs.mode, mailbox, join(own.nonce, theirs.nonce)))
  if (same(point, theirs.point)) throw new ChannelBroken()
  const keys = agree(secretPoint(own.scalar, theirs.point), hello, theirs, shareA, point)
  const { commitment, device } = theirs
  const state = { at: 'keyAlleged', role: 'receiver', keys, commitment, device } as const
  return to(state, { do: 'send', body: writeShareB({ point, tag: keys.tagB }) })
}

function confirmAsSender({ scalar, lot, hello, shareA }: SenderAlleges, shareB: Uint8Array): Step {
  const mine = readShareA(shareA)
  const theirs = readShareB(shareB)
  if (same(theirs.point, mine.point)) throw new ChannelBroken()
  const keys = agree(secretPoint(scalar, theirs.point), hello, mine, shareA, theirs.point)
  if (!same(theirs.tag, keys.tagB)) return wrong()
  const body = writeConfirm({ tag: keys.tagA, lot })
  return confirmed('sender', keys, lot, readHello(hello).device, { do: 'send', body })
}

/** Whoever sent it has the same key, and had drawn its lot before it could know Yb. */
function confirmAsReceiver({ keys, commitment, device }: ReceiverAlleges, body: Uint8Array): Step {
  const { tag, lot } = readConfirm(body)
  if (!same(tag, keys.tagA)) return wrong()
  if (!fits(lot, commitment)) throw new ChannelBroken()
  return confirmed('receiver', keys, lot, device)
}

function confirmed(role: Role, keys: Keys, lot: Uint8Array, device: Uint8Array, ...effects: readonly Effect[]): Step {
  const { toReceiver, toSender } = keys
  const words = checkWords(keys, lot)
  const sealing = { role, device, toReceiver, toSender, sent: 0, heard: 0 }
  return to({ at: 'keyConfirmed', sealing, words }, ...effects, { do: 'showWords', words, device })
}

function wrong(): Step {
  return to({ at: 'wrongCode', code: 'copy-wrong-number' }, { do: 'close', why: 'wrong' })
}

function unknownVersion(): Step {
  return to({ at: 'broken', code: 'copy-version' }, { do: 'close', why: 'broken' })
}

function base({ relay, digits, qr }: Own, mode: Mode, mailbox: string, sid: Uint8Array): Uint8Array {
  const prs = passwordString(mode, digits, mode === 'q' && qr !== null ? qr : new Uint8Array(0))
  return generator(prs, channelIdentifier(relay, mailbox), sid)
}

/** The keys over what both sides said, bound to the bytes themselves. `k` is overwritten. */
function agree(k: Uint8Array, hello: Uint8Array, sender: ShareA, shareA: Uint8Array, yb: Uint8Array): Keys {
  const receiver = readHello(hello)
  const { version, mode, point, device } = sender
  const a = { share: point, ad: associatedData('sender', Uint8Array.of(version), mode, device) }
  const b = { share: yb, ad: associatedData('receiver', receiver.versions, mode, receiver.device) }
  const isk = sessionKey(join(receiver.nonce, sender.nonce), k, a, b)
  return keysOf(isk, transcriptHash(hello, shareA, yb))
}
