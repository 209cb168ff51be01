/**
 * 유효성 검증, as far as it can be told here: the form, the path to the given authorities, the period, what it is for.
 *
 * What the center says comes on top: whatever one of the two finds bad is bad. Trust is decided by the server at every
 * use; this tells the person beforehand.
 */

import type { Certificate } from '../pure/npki/certificate.ts'
import { namedAbove, pathFault } from '../pure/npki/chain.ts'
import { accepts, lookupPolicy } from '../pure/npki/policies.ts'
import type { Check } from './manage_messages.ts'
import type { Lang } from './customers.ts'
import type { Finding, Shown } from './screens/manage_verify.ts'
import { day, type Say } from './words.ts'

/** What is looked at, and with what. `anchors`: CAs, and the roots of the vault's own settings alone; `sentence`: of a code. */
export interface Looking {
  readonly certificate: Certificate
  readonly anchors: readonly Certificate[]
  readonly at: Date
  readonly lang: Lang
  readonly say: Say
  readonly known: boolean
  readonly registered: string | null
  sentence(code: string, facts?: Readonly<Record<string, string | number>>): string
}

export type Findings = readonly (readonly [Shown, Finding])[]

/** The checks that need nobody else. */
export async function lookedAt(looking: Looking): Promise<Findings> {
  const { say } = looking
  return [
    ['form', { verdict: 'good', text: say('manage-form-good') }],
    ['path', await path(looking)],
    ['period', period(looking)],
    ['policy', policy(looking)],
    ['here', here(looking)],
  ]
}

async function path({ certificate, anchors, at, say }: Looking): Promise<Finding> {
  const above = namedAbove(certificate, anchors)
  if (above.length === 0) return { verdict: 'bad', text: say('manage-path-issuer') }
  // Whether it ends in a root is not known here, whatever the center says of one.
  if (above.length === 1) return { verdict: 'open', text: say('manage-path-unchecked') }
  const fault = await pathFault(certificate, anchors, at)
  if (fault === null) return { verdict: 'good', text: say('manage-path-good') }
  return { verdict: 'bad', text: say('manage-path-bad', { fault }) }
}

function period({ certificate, at, say }: Looking): Finding {
  const { notBefore, notAfter } = certificate
  if (at > notAfter) return { verdict: 'bad', text: say('manage-period-over', { date: day(notAfter) }) }
  if (at < notBefore) return { verdict: 'bad', text: say('manage-period-early', { date: day(notBefore) }) }
  const days = Math.ceil((notAfter.getTime() - at.getTime()) / 86_400_000)
  return { verdict: 'good', text: say('manage-period-good', { date: day(notAfter), n: days }) }
}

/** For whichever kind of customer: the desk does not ask who looks. */
function policy({ certificate, lang, say, sentence }: Looking): Finding {
  const { issuer, policyOid } = certificate
  const answers = (['personal', 'corporate'] as const).map((kind) => accepts(issuer, policyOid, kind))
  const name = lookupPolicy(issuer, policyOid)?.name[lang] ?? say('use-unknown')
  if (answers.includes('accepted')) return { verdict: 'good', text: say('manage-policy-good', { use: name }) }
  const why = answers.find((each) => each !== 'kind-clash') ?? answers[0]!
  return { verdict: 'bad', text: `${name} (${policyOid ?? '–'}). ${sentence(why)}` }
}

/** Whose it otherwise is, is nobody's to learn here (security H5). */
function here({ certificate, known, registered, say }: Looking): Finding {
  if (!known) return { verdict: 'open', text: say('manage-here-login') }
  const own = certificate.fingerprintHex === registered
  return { verdict: own ? 'good' : 'no', text: say(own ? 'manage-here-yes' : 'manage-here-no') }
}

const NAMES: Readonly<Record<Check['check'], Shown>> = {
  form: 'form',
  path: 'path',
  policy: 'policy',
  validity: 'period',
  status: 'status',
}

/** What the center found beyond that: its status, and whatever it found bad. */
export function toldBy(checks: readonly Check[], at: string, say: Say, sentence: Looking['sentence']): Findings {
  const told = checks.map((check): readonly [Shown, Finding] | null => {
    const shown = NAMES[check.check]
    if (check.check !== 'status' && check.verdict !== 'bad') return null
    return [shown, { verdict: check.verdict, text: textOf(check, at, say, sentence) }]
  })
  return told.filter((each) => each !== null)
}

function textOf(check: Check, at: string, say: Say, sentence: Looking['sentence']): string {
  if (check.verdict === 'good') return sourced('manage-status-good', check, at, say)
  const why = sentence(check.code ?? 'defect')
  return check.source === null ? why : `${why} ${sourced('manage-status-source', check, at, say)}`
}

function sourced(name: string, { source, produced }: Check, at: string, say: Say): string {
  return say(name, { source: say(`manage-source-${source ?? 'ocsp'}`), time: clock(produced ?? at) })
}

function clock(instant: string): string {
  const form = { timeZone: 'Asia/Seoul', dateStyle: 'short', timeStyle: 'short' } as const
  return new Intl.DateTimeFormat('sv-SE', form).format(new Date(instant))
}
