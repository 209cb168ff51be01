/**
 * 간편비밀번호 without a browser: which numbers are none, and what is signed around one (security B8).
 *
 * Twin of protocols/pin, which checks the signatures. What a PIN is, is decided here alone: it is never sent (B17).
 */

import { sha256 } from '@noble/hashes/sha2.js'
import { ascii, toHex } from './octets.ts'

export const DIGITS = 6

/** Why a number is no PIN. */
export type Weakness = 'pin-digits' | 'pin-same' | 'pin-sequence' | 'pin-repeated' | 'pin-date'

const UP = '01234567890123456789'
const DOWN = '98765432109876543210'
const DAYS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] as const

/**
 * Null for one that may be used. A date is refused whoever was born on it: of all numbers, thieves try birthdays first,
 * and which day it is, is nothing that the vault should have to know.
 */
export function weakness(pin: string): Weakness | null {
  if (!/^[0-9]{6}$/.test(pin)) return 'pin-digits'
  if (new Set(pin).size === 1) return 'pin-same'
  if (UP.includes(pin) || DOWN.includes(pin)) return 'pin-sequence'
  if (repeated(pin) || new Set(pin).size === 2) return 'pin-repeated'
  return isDate(pin) ? 'pin-date' : null
}

/** 121212, 123123, 112233, 123321. */
function repeated(pin: string): boolean {
  const [first, second] = [pin.slice(0, 3), pin.slice(3)]
  const pairs = pin.match(/../g)!
  if (first === second || first === [...second].reverse().join('')) return true
  return new Set(pairs).size === 1 || pairs.every(([one, other]) => one === other)
}

/** Year, month and day of anybody, in two digits each. */
function isDate(pin: string): boolean {
  const [month, day] = [Number(pin.slice(2, 4)), Number(pin.slice(4))]
  return day >= 1 && day <= (DAYS[month - 1] ?? 0)
}

export type PinAct = 'set' | 'ask' | 'remove'

const ORIGIN = /^https?:\/\/[a-z0-9.:-]{1,190}$/
const NONCE = /^[0-9a-f]{64}$/
const HANDLE = /^[0-9a-f]{32}$/

/** What a request of the device key is about. `handle`: null before there is one; `body`: the bytes that are sent. */
export interface PinAsk {
  readonly act: PinAct
  readonly origin: string
  readonly nonce: string
  readonly handle: string | null
  readonly body: Uint8Array
}

/** The exact bytes that the device key signs: ASCII, six lines. Throws RangeError for what could leave its line. */
export function pinText({ act, origin, nonce, handle, body }: PinAsk): Uint8Array {
  if (!ORIGIN.test(origin) || !NONCE.test(nonce) || !HANDLE.test(handle ?? '0'.repeat(32))) throw new RangeError('not ours')
  return ascii(
    'INGAM-PIN/1\n' +
      `act: ${act}\n` +
      `origin: ${origin}\n` +
      `nonce: ${nonce}\n` +
      `handle: ${handle ?? '-'}\n` +
      `body: ${toHex(sha256(body))}\n`,
  )
}

/** The same of the proof that a try opened: four lines. */
export function proofText(origin: string, handle: string, number: number): Uint8Array {
  if (!ORIGIN.test(origin) || !HANDLE.test(handle) || !Number.isSafeInteger(number)) throw new RangeError('not ours')
  return ascii(`INGAM-PIN-PROOF/1\norigin: ${origin}\nhandle: ${handle}\ntry: ${number}\n`)
}
