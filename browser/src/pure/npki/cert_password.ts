/**
 * The rule for a certificate password that is being SET (since 2014-09-22); never applied when a key is opened.
 *
 * Older certificates may have eight characters or others: they open as they are (npki.md §9). Twin of cert_password.py.
 */

import { Refusal } from '../failure.ts'
import { ascii } from '../octets.ts'

export const PASSWORD_LEAST = 10
export const PASSWORD_MOST = 56

export type PasswordFault =
  | 'cert-password-ascii'
  | 'cert-password-length'
  | 'cert-password-kinds'
  | 'cert-password-forbidden'
  | 'cert-password-sequence'

/** The new password breaks the rule; `code` says which part of it (manual's messages M-PW-01 to -03). */
export class WeakPassword extends Refusal {
  constructor(code: PasswordFault) {
    super(code)
    this.name = 'WeakPassword'
  }
}

/**
 * The bytes of an acceptable new password. Throws WeakPassword with the first code that applies.
 *
 * Only printable ASCII without blanks: tools differ in how they encode anything else (npki.md §1).
 */
export function checkNewPassword(password: string): Uint8Array {
  const [first] = brokenRules(password)
  if (first !== undefined) throw new WeakPassword(first)
  return ascii(password)
}

/** Codes of every part of the rule that the password breaks, for a live checklist; empty if it is acceptable. */
export function brokenRules(password: string): PasswordFault[] {
  const { length } = [...password]
  const kept: readonly (readonly [PasswordFault, boolean])[] = [
    ['cert-password-ascii', /^[!-~]*$/.test(password)],
    ['cert-password-length', length >= PASSWORD_LEAST && length <= PASSWORD_MOST],
    ['cert-password-kinds', [/[A-Za-z]/, /[0-9]/, /[!-/:-@[-`{-~]/].every((kind) => kind.test(password))],
    ['cert-password-forbidden', !/['"\\|]/.test(password)],
    ['cert-password-sequence', !hasRun(password)],
  ]
  return kept.filter(([, fine]) => !fine).map(([code]) => code)
}

/** Three characters in a row that repeat, or letters or digits that follow each other: `aaa`, `abc`, `321`. */
function hasRun(password: string): boolean {
  const points = [...password].map((character) => character.codePointAt(0)!)
  return points.some((third, at) => at >= 2 && isRun(points[at - 2]!, points[at - 1]!, third))
}

function isRun(first: number, second: number, third: number): boolean {
  const step = second - first
  if (third - second !== step) return false
  const three = String.fromCodePoint(first, second, third)
  return step === 0 || (Math.abs(step) === 1 && /^([a-z]{3}|[A-Z]{3}|[0-9]{3})$/.test(three))
}
