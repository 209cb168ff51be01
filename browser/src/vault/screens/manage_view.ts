/** 인증서 보기: every field that a person or an engineer asks for, and the path with each one's period; prints well (W7). */

import type { Certificate } from '../../pure/npki/certificate.ts'
import {
  authorityKeyIdOf,
  crlAddressesOf,
  ocspAddressesOf,
  rsaBitsOf,
  signatureAlgorithmOf,
  vidHashOf,
} from '../../pure/npki/certificate_facts.ts'
import { namedAbove } from '../../pure/npki/chain.ts'
import { issuerName, lookupPolicy } from '../../pure/npki/policies.ts'
import { displayName, nameText } from '../../pure/npki/subject.ts'
import { toHex } from '../../pure/octets.ts'
import type { Lang } from '../customers.ts'
import { button, el } from '../dom.ts'
import { day, type Say } from '../words.ts'
import { copier, taskHeading } from './manage_parts.ts'

/** What is shown. `key`: in which form the key lies here; `anchors`: to look for the path in; `believed`: those that count here. */
export interface ViewOptions {
  readonly say: Say
  readonly lang: Lang
  readonly certificate: Certificate
  readonly key: string
  /** Null: nobody is logged in who could know. */
  readonly registered: boolean | null
  readonly anchors: readonly Certificate[]
  readonly believed: readonly Certificate[]
  announce(text: string): void
  save(form: 'pem' | 'der'): void
  verify(): void
  back(): void
}

/** A row. `exact`: a value of bytes or names that is copied letter by letter. */
interface Row {
  readonly name: string
  readonly text: string
  readonly exact?: boolean
}

export function viewScreen(options: ViewOptions): HTMLElement {
  const { say, certificate, save, verify, back } = options
  const files = el('div', { class: 'manage-acts no-print' }, button(say('manage-verify-go'), 'secondary', verify))
  files.append(
    button(say('manage-print'), 'secondary', () => window.print()),
    button(say('manage-save-pem'), 'secondary', () => save('pem')),
    button(say('manage-save-der'), 'secondary', () => save('der')),
  )
  const ends = el('div', { class: 'ends inline no-print' }, button(say('manage-to-list'), 'primary', back))
  return el(
    'div',
    { class: 'manage-view' },
    taskHeading(say('manage-view-title')),
    section(say('manage-view-person'), personal(options), options),
    section(say('manage-view-technical'), technical(options), options),
    el('h3', {}, say('manage-chain')),
    path(certificate, options),
    el('p', { class: 'hint no-print' }, say('manage-save-hint')),
    files,
    ends,
  )
}

function section(title: string, rows: readonly Row[], { say, announce }: ViewOptions): HTMLElement {
  const pairs = rows.map(({ name, text, exact = false }) => {
    const label = say(`detail-${name}`)
    const value = el('dd', { 'data-fact': name, class: exact ? 'exact' : null }, el('span', {}, text))
    if (exact) value.append(' ', copier(say, label, text.replaceAll(' ', name === 'subject' || name === 'issuer-name' ? ' ' : ''), announce))
    return el('div', {}, el('dt', {}, label), value)
  })
  return el('section', {}, el('h3', {}, title), el('dl', { class: 'details' }, ...pairs))
}

function personal({ say, lang, certificate, registered, key }: ViewOptions): readonly Row[] {
  const { subject, issuer, policyOid, notBefore, notAfter } = certificate
  const use = lookupPolicy(issuer, policyOid)?.name[lang] ?? say('use-unknown')
  return [
    { name: 'owner', text: displayName(subject) },
    { name: 'use', text: use },
    { name: 'issuer', text: issuerName(issuer, lang) },
    { name: 'validity', text: `${day(notBefore)} – ${day(notAfter)}` },
    { name: 'here', text: say(registered === null ? 'manage-here-login' : registered ? 'manage-here-yes' : 'manage-here-no') },
    { name: 'key', text: key },
  ]
}

function technical({ say, certificate }: ViewOptions): readonly Row[] {
  const { subject, issuer, serial, policies, keyUsage, fingerprintHex } = certificate
  const signature = signatureAlgorithmOf(certificate)
  const bits = rsaBitsOf(certificate)
  const vid = vidHashOf(certificate)
  const hex = serial.toString(16).toUpperCase()
  return [
    { name: 'subject', text: nameText(subject), exact: true },
    { name: 'issuer-name', text: nameText(issuer), exact: true },
    { name: 'serial-hex', text: spaced(hex.length % 2 === 0 ? hex : `0${hex}`, 2), exact: true },
    { name: 'serial-decimal', text: serial.toString(), exact: true },
    { name: 'policy', text: policies.join(', ') || '–', exact: policies.length > 0 },
    { name: 'signature', text: signature === null ? '–' : [signature.name, `(${signature.oid})`].filter(Boolean).join(' ') },
    { name: 'key-kind', text: bits === null ? '–' : say('manage-key-kind', { n: bits }) },
    { name: 'key-usage', text: [...(keyUsage ?? [])].map((each) => `${say(`manage-usage-${each}`)} (${each})`).join(', ') || '–' },
    { name: 'vid', text: vid === null ? say('no') : `${say('yes')} (${vid.toUpperCase().replace('SHA', 'SHA-')})` },
    ...identifiers(certificate),
    ...crlAddressesOf(certificate).map((text) => ({ name: 'crl', text, exact: true })),
    ...ocspAddressesOf(certificate).map((text) => ({ name: 'ocsp', text, exact: true })),
    { name: 'fingerprint', text: spaced(fingerprintHex, 4), exact: true },
  ]
}

function identifiers(certificate: Certificate): readonly Row[] {
  const own = certificate.subjectKeyId
  const issuers = authorityKeyIdOf(certificate)
  return [
    ...(own === null ? [] : [{ name: 'subject-key', text: spaced(toHex(own), 4), exact: true }]),
    ...(issuers === null ? [] : [{ name: 'issuer-key', text: spaced(issuers, 4), exact: true }]),
  ]
}

function spaced(hex: string, each: number): string {
  return hex.replace(new RegExp(`(.{${each}})(?=.)`, 'g'), '$1 ')
}

/** The root first, as a tree is read. */
function path(certificate: Certificate, { say, lang, anchors, believed }: ViewOptions): HTMLElement {
  const above = namedAbove(certificate, anchors)
  const [authority, root] = above
  const items = authority === undefined ? [] : [step(authority, say('manage-chain-ca'), say)]
  if (root !== undefined) items.unshift(step(root, say(believed.includes(root) ? 'manage-chain-root' : 'manage-chain-root-unchecked'), say))
  items.push(step(certificate, `${say('manage-chain-own')} · ${issuerName(certificate.issuer, lang)}`, say))
  const list = el('ol', { class: 'manage-path' }, ...items)
  return above.length > 0 ? list : el('div', {}, el('p', { class: 'hint' }, say('manage-chain-unknown')), list)
}

function step(one: Certificate, what: string, say: Say): HTMLElement {
  const name = el('strong', {}, nameText(one.subject))
  const period = say('manage-chain-period', { from: day(one.notBefore), until: day(one.notAfter) })
  return el('li', {}, el('span', { class: 'hint' }, what), name, el('span', {}, period), el('code', {}, spaced(one.fingerprintHex, 4)))
}
