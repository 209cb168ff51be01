/**
 * What a device and the relay say to each other besides sealed messages: JSON texts, and the number before a body.
 *
 * Twin of wire.py. Every text has exactly one shape; readers throw ChannelBroken for any other.
 */

import { join } from '../octets.ts'
import { BODY_MOST } from './frames.ts'
import { ChannelBroken } from './lv.ts'
import { type Effect, type Why, WHYS } from './states.ts'

export const SUBPROTOCOL = 'ingam-copy.1'
/** Messages of one side in a run. */
export const MESSAGES_MOST = 8

const TEXT_MOST = 4096
const SEQUENCE = 4
const SECONDS_MOST = 86_400
const TOKEN = /^[A-Za-z0-9_-]{43}$/
const MAILBOX = /^\d{5}$/
const CODE = /^[a-z0-9-]{1,64}$/
const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/

/** Why a device closes. */
export type Closing = Extract<Effect, { readonly do: 'close' }>['why']

/** What a device says. `got`: how many of the other side's messages it has. */
export type Act =
  | { readonly act: 'open' | 'join'; readonly ticket: string }
  | { readonly act: 'resume'; readonly token: string; readonly got: number }
  | { readonly act: 'close'; readonly why: Closing }

/**
 * What the relay says. `ends`: milliseconds since 1970, of the number in `opened`, of the run after that; `have`:
 * how many of this side's messages it has; `s`: seconds after which another try makes sense.
 */
export type RelayTold =
  | { readonly told: 'opened'; readonly mailbox: string; readonly token: string; readonly ends: number }
  | { readonly told: 'joined'; readonly token: string; readonly ends: number }
  | { readonly told: 'peer'; readonly ends: number }
  | { readonly told: 'resumed'; readonly have: number; readonly ends: number }
  | { readonly told: 'away' | 'back' }
  | { readonly told: 'closed'; readonly why: Why }
  | { readonly told: 'refused'; readonly code: string; readonly s: number | null }

/** The JSON text of what a device says. */
export function writeAct(act: Act): string {
  return JSON.stringify(act)
}

/** What the relay says. */
export function readTold(text: string): RelayTold {
  const fields = fieldsOf(text)
  const told = fields['told']
  const only = (...names: readonly string[]): void => {
    const found = Object.keys(fields)
    if (found.length !== names.length + 1 || !names.every((name) => found.includes(name))) throw new ChannelBroken()
  }
  switch (told) {
    case 'opened':
      only('mailbox', 'token', 'ends')
      return { told, mailbox: formed(fields['mailbox'], MAILBOX), token: formed(fields['token'], TOKEN), ends: instant(fields['ends']) }
    case 'joined':
      only('token', 'ends')
      return { told, token: formed(fields['token'], TOKEN), ends: instant(fields['ends']) }
    case 'peer':
      only('ends')
      return { told, ends: instant(fields['ends']) }
    case 'resumed':
      only('have', 'ends')
      return { told, have: whole(fields['have'], MESSAGES_MOST), ends: instant(fields['ends']) }
    case 'away':
    case 'back':
      only()
      return { told }
    case 'closed':
      only('why')
      return { told, why: whyOf(fields['why']) }
    case 'refused':
      if ('s' in fields) only('code', 's')
      else only('code')
      return { told, code: formed(fields['code'], CODE), s: 's' in fields ? whole(fields['s'], SECONDS_MOST) : null }
    default:
      throw new ChannelBroken()
  }
}

/** Sequence (uint32, of this direction, from 0) and body. */
export function writePost(sequence: number, body: Uint8Array): Uint8Array {
  const counted = new Uint8Array(SEQUENCE)
  new DataView(counted.buffer).setUint32(0, sequence)
  return join(counted, body)
}

/** The other side's message and its number. */
export function readPost(post: Uint8Array): { readonly sequence: number; readonly body: Uint8Array } {
  if (post.length <= SEQUENCE || post.length > SEQUENCE + BODY_MOST) throw new ChannelBroken()
  const body = Uint8Array.from(post)
  return { sequence: new DataView(body.buffer).getUint32(0), body: body.subarray(SEQUENCE) }
}

function fieldsOf(text: string): Record<string, unknown> {
  if (text.length > TEXT_MOST) throw new ChannelBroken()
  const found = parsed(text)
  if (typeof found !== 'object' || found === null || Array.isArray(found)) throw new ChannelBroken()
  return found as Record<string, unknown>
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new ChannelBroken()
  }
}

function formed(value: unknown, form: RegExp): string {
  if (typeof value !== 'string' || !form.test(value)) throw new ChannelBroken()
  return value
}

function instant(value: unknown): number {
  const found = Date.parse(formed(value, INSTANT))
  if (Number.isNaN(found)) throw new ChannelBroken()
  return found
}

function whole(value: unknown, most: number): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > most) throw new ChannelBroken()
  return value
}

function whyOf(value: unknown): Why {
  const found = WHYS.find((why) => why === value)
  if (found === undefined) throw new ChannelBroken()
  return found
}
