/**
 * The two ways in which an exchange with the authority fails: an answer that is not believed, and a proven no.
 *
 * After the first nothing has ended, and the very same bytes may be carried again: the authority repeats its answer
 * (security D9). After the second this message has done nothing; `cmp-time` says that it was never heard before, since
 * repetitions are answered first, and that it may be composed again for the present instant.
 */

import { type Facts, Refusal } from '../failure.ts'

/** Codes of answers that are not believed or not understood; the same as in Python. */
export type CmpCode =
  | 'cmp-too-large'
  | 'cmp-malformed'
  | 'cmp-version'
  | 'cmp-unprotected'
  | 'cmp-protection-algorithm'
  | 'cmp-protection-cost'
  | 'cmp-protection-wrong'
  | 'cmp-answer-transaction'
  | 'cmp-answer-nonce'
  | 'cmp-answer-unexpected'

/** The answer is not taken, for the first check that it failed. */
export class CmpRefused extends Refusal {
  constructor(code: CmpCode, facts: Facts = {}) {
    super(code, facts)
    this.name = 'CmpRefused'
  }
}

/** What the authority writes beside its code: plain text for people, to be shown as nothing else. */
export interface AuthorityTexts {
  readonly ko: string
  readonly en: string
}

const CODE = /^[a-z0-9]+(-[a-z0-9]+){0,8}$/
const CODE_MOST = 64
const TEXT_MOST = 500

/**
 * The authority has refused, and that is proven. `code`: its own permanent one where it says one, else `issue-refused`.
 *
 * `failInfo`: names of RFC 9810 §5.2.3; `texts`: null where it wrote none in both languages.
 */
export class AuthorityRefused extends Refusal {
  readonly failInfo: readonly string[]
  readonly texts: AuthorityTexts | null

  constructor(said: readonly string[], failInfo: readonly string[]) {
    const [code = '', ko, en] = said
    super(code.length <= CODE_MOST && CODE.test(code) ? code : 'issue-refused')
    this.name = 'AuthorityRefused'
    this.failInfo = failInfo
    this.texts = ko === undefined || en === undefined ? null : { ko: cut(ko), en: cut(en) }
  }
}

function cut(text: string): string {
  return Array.from(text).slice(0, TEXT_MOST).join('')
}
