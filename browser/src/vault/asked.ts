/**
 * One request to sign, checked: what the person will be shown and what the vault will build (security A1, A19, B2).
 *
 * The origin in the signed text is the vault's own setting; a message that names another one is refused. The text that
 * is shown is the text whose hash is signed.
 */

import { sha256 } from '@noble/hashes/sha2.js'
import type { Challenge } from '../pure/challenge.ts'
import { Refusal } from '../pure/failure.ts'
import { toHex } from '../pure/octets.ts'
import { utf8 } from '../pure/platform.ts'
import type { ChallengeMessage, CustomerKind, Lang } from './messages.ts'

// A challenge this close to its end would reach the server after it.
const MARGIN_MS = 5_000
const LIFE_MOST_MS = 3_600_000

/** A checked request. `arrived`: milliseconds of a clock that never jumps (performance.now) when it came. */
export interface Asked {
  readonly challenge: Challenge
  readonly bodyText: string | null
  readonly seal: boolean
  readonly customerKind: CustomerKind | null
  readonly lang: Lang
  readonly arrived: number
}

/** Why a request is not taken: `challenge-origin`, `challenge-body`, `challenge-life`. */
export class ChallengeRefused extends Refusal {
  constructor(code: 'challenge-origin' | 'challenge-body' | 'challenge-life') {
    super(code)
    this.name = 'ChallengeRefused'
  }
}

/** Checks a message against the configured center. Throws ChallengeRefused. */
export function asked(message: ChallengeMessage, centerOrigin: string, arrived: number): Asked {
  if (message.origin !== centerOrigin) throw new ChallengeRefused('challenge-origin')
  if (!bodyFits(message)) throw new ChallengeRefused('challenge-body')
  const life = Date.parse(message.expires) - Date.parse(message.issued)
  if (!(life > 0 && life <= LIFE_MOST_MS)) throw new ChallengeRefused('challenge-life')
  const { purpose, nonce, issued, expires, session, body } = message
  return {
    challenge: { purpose, origin: centerOrigin, nonce, issued, expires, session, body },
    bodyText: message.body_text,
    seal: message.seal,
    customerKind: message.customer_kind,
    lang: message.lang,
    arrived,
  }
}

function bodyFits(message: ChallengeMessage): boolean {
  if (message.body === null || message.body_text === null) return message.body === message.body_text
  return toHex(sha256(utf8(message.body_text))) === message.body
}

/** The instant by the server's clock, counted on from `issued`: a PC whose clock is wrong signs at the right time. */
export function instantOf(request: Asked, now: number): Date {
  return new Date(Date.parse(request.challenge.issued) + Math.max(0, now - request.arrived))
}

/** Whether it is too late to sign this challenge. */
export function expired(request: Asked, now: number): boolean {
  return instantOf(request, now).getTime() + MARGIN_MS >= Date.parse(request.challenge.expires)
}

/** Whether a newer request asks for the same act: then what the person confirmed for the old one holds for it too. */
export function sameAct(one: Asked, other: Asked): boolean {
  const act = ({ challenge, seal, customerKind }: Asked): string =>
    JSON.stringify([challenge.purpose, challenge.origin, challenge.session, challenge.body, seal, customerKind])
  return act(one) === act(other)
}
