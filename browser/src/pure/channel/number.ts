/**
 * What a person carries from one device to the other: twelve digits, or the text of a QR (security C4, C5).
 *
 * Five digits name the mailbox and are the relay's; seven are secret and leave this device by the person alone. A QR
 * carries 16 random bytes beside them. It is not a URL: nothing but this parser understands it.
 */

import { Refusal } from '../failure.ts'
import { randomBytes, type Randomness } from '../platform.ts'

/** By what the joining side learnt the secret: `n` the number was typed, `q` the QR was read. Never changed in a run. */
export type Mode = 'n' | 'q'

/** `mailbox`: 5 digits; `digits`: the 7 secret ones; `qr`: 16 bytes in mode `q`, else none. */
export interface Code {
  readonly mode: Mode
  readonly mailbox: string
  readonly digits: string
  readonly qr: Uint8Array
}

export const QR_BYTES = 16
const DIGITS = 7
const MARK = 'INGAM1:'
const NUMBER = /^(\d{5})(\d{7})$/
const QR = /^INGAM1:(\d{5})(\d{7})([A-Z2-7]{26})$/
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
const LETTERS = 26

/** The number as it is typed: spaces and hyphens count for nothing. Throws Refusal `copy-number-malformed`. */
export function readNumber(typed: string): Code {
  const found = NUMBER.exec(typed.replaceAll(/[ -]/g, ''))
  if (found === null) throw new Refusal('copy-number-malformed')
  return { mode: 'n', mailbox: found[1]!, digits: found[2]!, qr: new Uint8Array(0) }
}

/** The number as it is shown: three groups of four. */
export function shownNumber(mailbox: string, digits: string): string {
  return (mailbox + digits).replaceAll(/(\d{4})(?=\d)/g, '$1 ')
}

/** The text of a QR, exactly as `qrText` writes it. Throws Refusal `copy-qr-malformed`. */
export function readQr(text: string): Code {
  const found = QR.exec(text)
  const qr = found === null ? null : fromBase32(found[3]!)
  if (found === null || qr === null) throw new Refusal('copy-qr-malformed')
  return { mode: 'q', mailbox: found[1]!, digits: found[2]!, qr }
}

/** 45 characters of QR's alphanumeric set. Throws RangeError unless `qr` has 16 bytes. */
export function qrText(mailbox: string, digits: string, qr: Uint8Array): string {
  if (qr.length !== QR_BYTES || !NUMBER.test(mailbox + digits)) throw new RangeError('not of a copy')
  return MARK + mailbox + digits + toBase32(qr)
}

/** Seven secret digits, every one of the 10,000,000 equally likely. */
export function newDigits(random: Randomness = randomBytes): string {
  const most = 4_290_000_000
  for (;;) {
    const drawn = new DataView(Uint8Array.from(random(4)).buffer).getUint32(0)
    if (drawn < most) return String(drawn % 10_000_000).padStart(DIGITS, '0')
  }
}

/** RFC 4648 §6 without padding. */
function toBase32(bytes: Uint8Array): string {
  let text = ''
  for (let letter = 0; letter < LETTERS; letter++) {
    let value = 0
    for (let bit = letter * 5; bit < letter * 5 + 5; bit++) {
      value = (value << 1) | (((bytes[bit >> 3] ?? 0) >> (7 - (bit & 7))) & 1)
    }
    text += ALPHABET[value]
  }
  return text
}

/** The 16 bytes of 26 letters, or null where the two spare bits are not zero. */
function fromBase32(text: string): Uint8Array | null {
  const bytes = new Uint8Array(QR_BYTES + 1)
  for (const [letter, character] of [...text].entries()) {
    const value = ALPHABET.indexOf(character)
    for (let bit = 0; bit < 5; bit++) {
      const at = letter * 5 + bit
      bytes[at >> 3]! |= ((value >> (4 - bit)) & 1) << (7 - (at & 7))
    }
  }
  return bytes[QR_BYTES] === 0 ? bytes.slice(0, QR_BYTES) : null
}
