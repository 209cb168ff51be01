/** What can be done with a certificate at the desk, and which of it a line allows (flows.md W7, B4). */

import type { Wanted } from './manage_messages.ts'
import type { Line } from './screens/list.ts'

/**
 * One screen each, `screens/manage_<act>.ts`. `simple` and `passkey`: what a kept certificate may be unlocked with
 * besides its password (간편비밀번호, 생체; B8, B9).
 */
export const ACTS = ['view', 'verify', 'password', 'export', 'import', 'simple', 'passkey', 'remove'] as const
export type Act = (typeof ACTS)[number]

const FOREMOST: Readonly<Partial<Record<Wanted, Act>>> = { password: 'password', simple: 'simple' }

/** The acts of a line, the one the person came for first. */
export function actsOf({ entry }: Line, wanted: Wanted): readonly Act[] {
  const { certificate, source } = entry
  const found: Act[] = []
  if (certificate !== null || source !== null) found.push('view', 'verify')
  if (source !== null) found.push('password', 'export')
  if (source !== null && source.kind !== 'record') found.push('import')
  if (source?.kind === 'record') found.push('simple', 'passkey', 'remove')
  const foremost = FOREMOST[wanted] ?? (source?.kind === 'record' ? 'export' : 'import')
  if (wanted === 'list' || !found.includes(foremost)) return found
  return [foremost, ...found.filter((each) => each !== foremost)]
}
