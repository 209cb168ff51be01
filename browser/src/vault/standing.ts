/**
 * Whether a certificate can be used here, for this purpose and this customer, and why not (W10, flows.md checks 3-9).
 *
 * Told early so that nobody types a password in vain; the server decides again after the path and status are proven.
 */

import type { Certificate } from '../pure/npki/certificate.ts'
import { accepts, authorityOf } from '../pure/npki/policies.ts'
import type { Asked } from './asked.ts'
import type { Entry } from './entries.ts'
import type { CustomerKind } from './messages.ts'

const DAY_MS = 86_400_000
/** From how many days before its end a certificate is marked (KCAC.TS.UI, facts.md §4). */
export const SOON_DAYS = 30

/** The chip of the last column. `unknown`: a PFX before its password. */
export type Chip = 'good' | 'soon' | 'expired' | 'early' | 'refused' | 'damaged' | 'unknown'

/** `code`: why it cannot be used, else null; `days`: whole days that are left, rounded up. */
export interface Standing {
  readonly chip: Chip
  readonly usable: boolean
  readonly code: string | null
  readonly days: number
}

/** The standing of a line at an instant. */
export function standingOf(entry: Entry, request: Asked, now: Date): Standing {
  const { certificate, trouble } = entry
  if (trouble !== null) return refused('damaged', trouble)
  if (certificate === null) return { chip: 'unknown', usable: true, code: null, days: 0 }
  return standingOfCertificate(certificate, request, now)
}

/** The standing of a certificate, also of one that came out of a PFX just now. */
export function standingOfCertificate(certificate: Certificate, request: Asked, now: Date): Standing {
  if (now > certificate.notAfter) return refused('expired', 'cert-expired')
  if (now < certificate.notBefore) return refused('early', 'cert-not-yet')
  const code = policyCode(certificate, request)
  if (code !== null) return refused('refused', code)
  const days = Math.ceil((certificate.notAfter.getTime() - now.getTime()) / DAY_MS)
  return { chip: days <= SOON_DAYS ? 'soon' : 'good', usable: true, code: null, days }
}

/** Whether a line may leave this device: only one that the center knows as this person's, while it is valid. */
export function standingToCopy(entry: Entry, bound: readonly string[], now: Date): Standing {
  const { certificate, trouble } = entry
  if (trouble !== null) return refused('damaged', trouble)
  if (certificate === null) return { chip: 'unknown', usable: true, code: null, days: 0 }
  if (!bound.includes(certificate.fingerprintHex)) return refused('refused', 'copy-not-registered')
  if (now > certificate.notAfter) return refused('expired', 'cert-expired')
  if (now < certificate.notBefore) return refused('early', 'cert-not-yet')
  const days = Math.ceil((certificate.notAfter.getTime() - now.getTime()) / DAY_MS)
  return { chip: days <= SOON_DAYS ? 'soon' : 'good', usable: true, code: null, days }
}

/** The standing of a line at the certificate desk, where everything that can be read may be looked at and put in order. */
export function standingToManage({ certificate, trouble }: Entry, now: Date): Standing {
  if (trouble !== null && certificate === null) return refused('damaged', trouble)
  if (certificate === null) return { chip: 'unknown', usable: true, code: null, days: 0 }
  const days = Math.ceil((certificate.notAfter.getTime() - now.getTime()) / DAY_MS)
  if (trouble !== null) return { chip: 'damaged', usable: true, code: trouble, days }
  if (now > certificate.notAfter) return { chip: 'expired', usable: true, code: null, days: 0 }
  if (now < certificate.notBefore) return { chip: 'early', usable: true, code: null, days }
  return { chip: days <= SOON_DAYS ? 'soon' : 'good', usable: true, code: null, days }
}

function refused(chip: Chip, code: string): Standing {
  return { chip, usable: false, code, days: 0 }
}

function policyCode(certificate: Certificate, request: Asked): string | null {
  if (certificate.keyUsage?.has('digitalSignature') !== true) return 'cert-not-for-signing'
  if (authorityOf(certificate.issuer) === null) return 'untrusted-issuer'
  const taken = acceptance(certificate, request.customerKind)
  if (taken !== 'accepted') return taken
  return request.seal && certificate.identifyData === null ? 'vid-missing' : null
}

/** Where the center does not say who asks (a login), what one kind may use is not refused. */
function acceptance(certificate: Certificate, kind: CustomerKind | null): string {
  const kinds: readonly CustomerKind[] = kind === null ? ['personal', 'corporate'] : [kind]
  const answers = kinds.map((each) => accepts(certificate.issuer, certificate.policyOid, each))
  return answers.find((each) => each === 'accepted') ?? answers[0] ?? 'policy-not-accepted'
}
