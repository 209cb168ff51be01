/** A certificate in five facts, as the last screens show them: owner, use, issuer, validity, and whether it has ended. */

import { Certificate } from '../../pure/npki/certificate.ts'
import { issuerName, lookupPolicy } from '../../pure/npki/policies.ts'
import { displayName } from '../../pure/npki/subject.ts'
import type { Lang } from '../customers.ts'
import { el } from '../dom.ts'
import { day, type Say } from '../words.ts'

/** The list, with a word where the certificate has expired by this device's clock. */
export function copyFacts(der: Uint8Array, lang: Lang, say: Say, now: Date): HTMLElement {
  const certificate = new Certificate(der)
  const { issuer, subject, notAfter } = certificate
  const until = notAfter < now ? say('copy-expired-on', { date: day(notAfter) }) : day(notAfter)
  const pairs: readonly (readonly [string, string, string])[] = [
    ['owner', say('column-owner'), displayName(subject)],
    ['use', say('column-use'), lookupPolicy(issuer, certificate.policyOid)?.name[lang] ?? say('use-unknown')],
    ['issuer', say('column-issuer'), issuerName(issuer, lang)],
    ['until', say('column-until'), until],
  ]
  const rows = pairs.map(([name, label, text]) => el('div', {}, el('dt', {}, label), el('dd', { 'data-fact': name }, text)))
  return el('dl', { class: 'details' }, ...rows)
}
