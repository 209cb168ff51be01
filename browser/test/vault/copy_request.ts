/** A `copy` object as a center sends it, for the tests of this folder. */

import { createHash } from 'node:crypto'
import type { ChallengeMessage } from '../../src/vault/challenge_message.ts'
import type { CopyMessage } from '../../src/vault/copy_messages.ts'
import { CENTER, message } from './request.ts'

export const LETTER = '공동인증서 복사\n받는 기기: 휴대폰 · Chrome · Android\n'

/** The challenge of a sender: its text names the receiving device. */
export function copyOutMessage(changes: Partial<ChallengeMessage> = {}): ChallengeMessage {
  const body = createHash('sha256').update(LETTER).digest('hex')
  return message({ purpose: 'copy-out', seal: false, body, body_text: LETTER, ...changes })
}

/** A sender's beginning. */
export function sending(changes: Partial<CopyMessage> = {}): CopyMessage {
  return {
    origin: CENTER,
    role: 'send',
    lang: 'ko',
    customer_kind: 'personal',
    here: 'pc',
    device: 'PC · Chrome · Windows',
    bound: ['4'.repeat(64)],
    other: '휴대폰 · Chrome · Android',
    challenge: copyOutMessage(),
    ...changes,
  }
}

/** A receiver's beginning. */
export function receiving(changes: Partial<CopyMessage> = {}): CopyMessage {
  return sending({ role: 'receive', here: 'phone', other: null, challenge: null, bound: [], ...changes })
}
