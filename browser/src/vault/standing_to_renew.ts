/** Whether a line may be renewed here and now, and why not (M-RENEW-01 to -03): told before a password is asked for. */

import type { Certificate } from '../pure/npki/certificate.ts'
import type { Entry } from './entries.ts'
import type { OwnStanding } from './renew_messages.ts'
import { type Chip, SOON_DAYS, type Standing } from './standing.ts'
import { day } from './words.ts'

const DAY_MS = 86_400_000

/** `own`: what the authority issued to the person; `ours`: whether it issued one at all; `policies`: what is renewed. */
export interface Renewable {
  readonly own: ReadonlyMap<string, OwnStanding>
  readonly policies: readonly string[]
  readonly days: number
  ours(one: Certificate): boolean
}

const REFUSED: Readonly<Record<Exclude<OwnStanding, 'valid'>, string>> = {
  pending: 'renew-not-yours',
  held: 'cert-suspended',
  revoked: 'cert-revoked',
}

/** The standing of a line at an instant of the center's clock. */
export function standingToRenew({ certificate, trouble }: Entry, renewable: Renewable, now: Date): Standing {
  if (trouble !== null) return refused('damaged', trouble)
  if (certificate === null) return { chip: 'unknown', usable: true, code: null, days: 0 }
  const code = codeOf(certificate, renewable, now)
  if (code !== null) return refused(now > certificate.notAfter ? 'expired' : 'refused', code)
  const days = Math.ceil((certificate.notAfter.getTime() - now.getTime()) / DAY_MS)
  return { chip: days <= SOON_DAYS ? 'soon' : 'good', usable: true, code: null, days }
}

function codeOf(certificate: Certificate, { own, ours, policies, days }: Renewable, now: Date): string | null {
  if (!ours(certificate)) return 'renew-elsewhere'
  if (now > certificate.notAfter) return 'renew-late'
  const standing = own.get(certificate.fingerprintHex)
  if (standing !== 'valid') return standing === undefined ? 'renew-not-yours' : REFUSED[standing]
  if (!policies.includes(certificate.policyOid ?? '')) return 'renew-product'
  // In Korean days, as the authority counts.
  const left = (Date.parse(day(certificate.notAfter)) - Date.parse(day(now))) / DAY_MS
  return left > days ? 'renew-early' : null
}

function refused(chip: Chip, code: string): Standing {
  return { chip, usable: false, code, days: 0 }
}
