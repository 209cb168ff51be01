/**
 * What a certificate is for (용도) and whether this institution takes it, keyed by issuer (A9). Twin of policies.py.
 *
 * The table is `generated/policies.json`, made from `policies.toml` by scripts/policies_json.py. A name proves nothing:
 * what is said here is shown to the person early, and decided again by the server after the path is proven.
 */

import table from '../../generated/policies.json' with { type: 'json' }
import { fold, type Name, nameText, valueOf } from './subject.ts'

export type CustomerKind = 'personal' | 'union-head' | 'corporate'
/** Every value but `accepted` is the code of a refusal. */
export type Acceptance = 'accepted' | 'policy-not-accepted' | 'bank-only' | 'kind-clash'
export type Language = 'ko' | 'en'

/** A certification authority as the table knows it; `arc` dotted, `ended` where it issues no more. */
export interface Authority {
  readonly key: string
  readonly o: string
  readonly brands: readonly string[]
  readonly arc: string
  readonly name: Readonly<Record<Language, string>>
  readonly ended: boolean
  readonly policies: readonly Policy[]
}

/** One row: `oid` dotted, `use` and `holder` the words of the table. */
export interface Policy {
  readonly oid: string
  readonly name: Readonly<Record<Language, string>>
  readonly use: string
  readonly holder: string
}

const AUTHORITIES: readonly Authority[] = table.authorities
const HOLDERS: Readonly<Record<CustomerKind, string>> = {
  personal: 'personal',
  'union-head': 'personal',
  corporate: 'corporate',
}

/** The authority that an issuer's name belongs to, or null. */
export function authorityOf(issuer: Name): Authority | null {
  const organisation = fold(valueOf(issuer, 'O') ?? '')
  const common = fold(valueOf(issuer, 'CN') ?? '')
  const issued = (one: Authority): boolean =>
    fold(one.o) === organisation && one.brands.some((brand) => common.startsWith(fold(brand)))
  return AUTHORITIES.find(issued) ?? null
}

/** The row of a policy under this very issuer; null for another authority's policy, or an unknown one. */
export function lookupPolicy(issuer: Name, oid: string | null): Policy | null {
  return authorityOf(issuer)?.policies.find((policy) => policy.oid === oid) ?? null
}

/** Whether a customer of this kind may register or log in with it: 범용 and 증권용, never 은행용. */
export function accepts(issuer: Name, oid: string | null, kind: CustomerKind): Acceptance {
  const policy = lookupPolicy(issuer, oid)
  if (policy === null || authorityOf(issuer)?.ended) return 'policy-not-accepted'
  if (policy.use === 'bank') return 'bank-only'
  const taken = ['universal', 'securities'].includes(policy.use) && ['personal', 'corporate'].includes(policy.holder)
  if (!taken) return 'policy-not-accepted'
  return policy.holder === HOLDERS[kind] ? 'accepted' : 'kind-clash'
}

/** `코스콤`, `금융결제원` …, or in English; the issuer's own O or CN where the table does not know it. */
export function issuerName(issuer: Name, language: Language = 'ko'): string {
  const known = authorityOf(issuer)?.name[language]
  return known ?? valueOf(issuer, 'O') ?? valueOf(issuer, 'CN') ?? nameText(issuer)
}
