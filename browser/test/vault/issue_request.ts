/** An `issue` and a `registered` object as a center sends them, for the tests of this folder. */

import type { IssueMessage, RegisteredMessage } from '../../src/vault/issue_messages.ts'
import { CENTER } from './request.ts'

export function issue(changes: Partial<IssueMessage> = {}): IssueMessage {
  return {
    flow: 'a'.repeat(32),
    now: '2026-11-26T09:00:00Z',
    lang: 'ko',
    origin: CENTER,
    holder: { name: '홍길동', kind: 'personal' },
    encryption: 'TUlJ',
    anchors: ['TUlJ', 'TUlK'],
    policies: ['2.25.147690576529670081407829877669301549600.1.1'],
    profile_ko: '증권용 개인',
    profile_en: 'Securities, personal',
    state: 'key',
    spki: null,
    ...changes,
  }
}

export function registered(changes: Partial<RegisteredMessage> = {}): RegisteredMessage {
  return {
    reference: '4711',
    code: 'ABCDEFGHIJKLMNOPQRSTUVWXYZ',
    idn: '7510051000001',
    not_after_at_most: '2027-11-26T14:59:59Z',
    ...changes,
  }
}
