/** 인증서 보기: what a certificate says, and in which form its key lies here. Needs no password. */

import { el } from '../dom.ts'
import type { Entry } from '../entries.ts'
import type { Lang } from '../messages.ts'
import { describe } from '../../pure/npki/key_file.ts'
import type { Variant } from '../../pure/npki/pbes.ts'
import { issuerName, lookupPolicy } from '../../pure/npki/policies.ts'
import { displayName, nameText } from '../../pure/npki/subject.ts'
import type { KeySource } from '../work.ts'
import { liesAsItCame, slotOfPassword } from '../record.ts'
import { day, type Say } from '../words.ts'

/** The pairs of the page, in the order in which people ask. */
export function details(entry: Entry, lang: Lang, say: Say): HTMLElement {
  const pairs = pairsOf(entry, lang, say).map(([name, text]) =>
    el('div', {}, el('dt', {}, say(`detail-${name}`)), el('dd', {}, text)),
  )
  return el('dl', { class: 'details' }, ...pairs)
}

function pairsOf({ certificate, source, fileName }: Entry, lang: Lang, say: Say): (readonly [string, string])[] {
  if (certificate === null) return [['file', fileName], ['owner', say('after-password')]]
  const { subject, issuer, policyOid, notBefore, notAfter } = certificate
  const policy = lookupPolicy(issuer, policyOid)
  return [
    ['owner', displayName(subject)],
    ['subject', nameText(subject)],
    ['use', `${policy?.name[lang] ?? say('use-unknown')} (${policyOid ?? '–'})`],
    ['issuer', `${issuerName(issuer, lang)} · ${nameText(issuer)}`],
    ['serial', certificate.serial.toString(16).toUpperCase()],
    ['validity', `${day(notBefore)} – ${day(notAfter)}`],
    ['key', keyText(source, say)],
    ['vid', say(certificate.identifyData === null ? 'no' : 'yes')],
    ['fingerprint', certificate.fingerprintHex.replace(/(.{4})(?=.)/g, '$1 ')],
  ]
}

/** The encryption of a key file in the words of the standards. */
const VARIANTS: Readonly<Record<Variant, string>> = {
  'pbe-sha1-seed': 'PBES1 SHA1-SEED (1.2.410.200004.1.15)',
  'seed-cbc-sha1': 'PBES1 SEED-CBC (1.2.410.200004.1.4)',
  'pbes2-seed': 'PBES2 SEED-CBC',
  'pbes2-aes-256': 'PBES2 AES-256-CBC',
  'pbes2-aria-128': 'PBES2 ARIA-128-CBC',
  'pbes2-aria-192': 'PBES2 ARIA-192-CBC',
  'pbes2-aria-256': 'PBES2 ARIA-256-CBC',
}

export function keyText(source: KeySource | null, say: Say): string {
  if (source === null) return '–'
  if (source.kind === 'pfx') return 'PFX (PKCS#12)'
  if (source.kind === 'record' && liesAsItCame(source.record)) return say('copy-key-open')
  if (source.kind === 'record') return say('key-kept', { n: slotOfPassword(source.record)?.rounds ?? 0 })
  try {
    const { variant, iterations, prf } = describe(source.keyFile)
    return say('key-file', { variant: [VARIANTS[variant], prf?.toUpperCase()].filter(Boolean).join(', '), n: iterations })
  } catch {
    return say('key-unreadable')
  }
}
