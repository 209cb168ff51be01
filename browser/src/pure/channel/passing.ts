/**
 * Under the confirmed key: the certificate goes, and the receiver's own word comes back (security C10, C11, C13).
 *
 * Each function takes what comes next and throws ChannelBroken for anything else. Only the hash of what the receiver
 * read back from its storage makes `acknowledged`.
 */

import { ascii, same } from '../octets.ts'
import {
  canCarry,
  INNER,
  isCode,
  open,
  type Payload,
  payloadDigest,
  readCode,
  readPayload,
  seal,
  writePayload,
} from './frames.ts'
import { ChannelBroken } from './lv.ts'
import { directionOf, type Role } from './schedule.ts'
import { type Effect, type Event, type In, type Sealing, type State, type Step, stay, to, unsure } from './states.ts'

/** Both compare the words; a sender's person agrees, a receiver waits. */
export function confirmed(state: In<'keyConfirmed'>, event: Event): Step {
  const { role } = state.sealing
  if (event.on === 'agreed' && role === 'sender') return send(state, event.payload)
  if (event.on === 'refused' && role === 'receiver') return refuse(state.sealing, event.code)
  if (event.on !== 'heard') return stay(state)
  const { inner, content, sealing } = unsealed(state.sealing, event.body)
  if (inner !== INNER.payload || role !== 'receiver') return peerEnds(role, inner, content)
  return deliver(sealing, content)
}

/** What the protocol cannot carry is not begun with: `canCarry`. Throws RangeError. */
function send({ sealing }: In<'keyConfirmed'>, payload: Payload): Step {
  if (!canCarry(payload)) throw new RangeError('too large to copy')
  const [effect, next] = sealed(sealing, INNER.payload, writePayload(payload))
  return to({ at: 'sending', sealing: next, digest: payloadDigest(payload), asked: false }, effect)
}

function deliver(sealing: Sealing, content: Uint8Array): Step {
  const payload = payloadOf(content)
  if (payload === null) return refuse(sealing, 'copy-payload')
  return to({ at: 'receiving', sealing, digest: payloadDigest(payload) }, { do: 'deliver', payload })
}

function payloadOf(content: Uint8Array): Payload | null {
  try {
    return readPayload(content)
  } catch (failure) {
    if (failure instanceof ChannelBroken) return null
    throw failure
  }
}

/** What a sender hears after the payload. */
export function answered(state: In<'sending'>, body: Uint8Array): Step {
  const { inner, content, sealing } = unsealed(state.sealing, body)
  if (inner === INNER.asking && content.length === 0 && !state.asked) return to({ ...state, sealing, asked: true })
  if (inner !== INNER.stored) return peerEnds('sender', inner, content)
  if (!same(content, state.digest)) throw new ChannelBroken()
  return to({ at: 'acknowledged', code: 'copy-done' }, { do: 'close', why: 'done' })
}

/** The other side does not go on: a receiver refuses, either one cancels. */
function peerEnds(role: Role, inner: number, content: Uint8Array): Step {
  if (inner === INNER.refused && role === 'sender') {
    return to({ at: 'declined', code: readCode(content) }, { do: 'close', why: 'declined' })
  }
  if (inner !== INNER.cancelled || content.length > 0) throw new ChannelBroken()
  return to({ at: 'cancelled', code: 'copy-peer-cancelled' }, { do: 'close', why: 'cancelled' })
}

/** While the receiver's store has it. */
export function receiving(state: In<'receiving'>, event: Event): Step {
  const { sealing } = state
  switch (event.on) {
    case 'asked':
      return sealing.sent === 0 ? ask(state) : stay(state)
    case 'stored':
      return stored(state, event.digest)
    case 'refused':
      return refuse(sealing, event.code)
    case 'heard': {
      const { inner, content } = unsealed(sealing, event.body)
      return peerEnds('receiver', inner, content)
    }
    default:
      return stay(state)
  }
}

function ask(state: In<'receiving'>): Step {
  const [effect, sealing] = sealed(state.sealing, INNER.asking)
  return to({ ...state, sealing }, effect)
}

/** A storage that gives back other bytes has not kept it. The sender closes: it alone knows that the answer came. */
function stored({ sealing, digest }: In<'receiving'>, readBack: Uint8Array): Step {
  if (!same(readBack, digest)) return refuse(sealing, 'cannot-keep')
  const [effect] = sealed(sealing, INNER.stored, readBack)
  return to({ at: 'acknowledged', code: 'copy-done' }, effect)
}

/** The sender closes when it has heard it, so that the close does not cut it off. */
function refuse(sealing: Sealing, code: string): Step {
  if (!isCode(code)) throw new RangeError('no code')
  const [effect] = sealed(sealing, INNER.refused, ascii(code))
  return to({ at: 'declined', code }, effect)
}

/** The own person cancels: said under the key, and to the relay. */
export function cancel(state: State & { readonly sealing: Sealing }): Step {
  const [effect] = sealed(state.sealing, INNER.cancelled)
  return to({ at: 'cancelled', code: unsure(state, 'copy-cancelled') }, effect, { do: 'close', why: 'cancelled' })
}

function sealed(sealing: Sealing, inner: number, content: Uint8Array = new Uint8Array(0)): [Effect, Sealing] {
  const { role, sent } = sealing
  const body = seal(keyOf(sealing, role), directionOf(role), sent, inner, content)
  return [{ do: 'send', body }, { ...sealing, sent: sent + 1 }]
}

function unsealed(sealing: Sealing, body: Uint8Array): { inner: number; content: Uint8Array; sealing: Sealing } {
  const from: Role = sealing.role === 'sender' ? 'receiver' : 'sender'
  const opened = open(keyOf(sealing, from), directionOf(from), sealing.heard, body)
  return { ...opened, sealing: { ...sealing, heard: sealing.heard + 1 } }
}

function keyOf({ toReceiver, toSender }: Sealing, from: Role): Uint8Array {
  return from === 'sender' ? toReceiver : toSender
}
