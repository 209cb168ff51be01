/** A challenge as a center sends it, for the tests of this folder. */

import { asked, type Asked } from '../../src/vault/asked.ts'
import type { ChallengeMessage } from '../../src/vault/messages.ts'

export const CENTER = 'http://localhost:8700'

/** A registration challenge, valid for three minutes. */
export function message(changes: Partial<ChallengeMessage> = {}): ChallengeMessage {
  return {
    purpose: 'registration',
    origin: CENTER,
    nonce: '1'.repeat(64),
    issued: '2026-11-22T10:00:00Z',
    expires: '2026-11-22T10:03:00Z',
    session: '2'.repeat(64),
    body: null,
    body_text: null,
    seal: true,
    customer_kind: 'personal',
    lang: 'ko',
    ...changes,
  }
}

/** The same, checked; it came when the steady clock showed 1,000 ms. */
export function request(changes: Partial<ChallengeMessage> = {}): Asked {
  return asked(message(changes), CENTER, 1000)
}
