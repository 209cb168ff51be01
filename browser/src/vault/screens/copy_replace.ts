/** A certificate that is there already: replaced only after a yes (security C14, M-COPY-08). */

import { Certificate } from '../../pure/npki/certificate.ts'
import type { Arrival } from '../copy_machine.ts'
import type { Lang } from '../customers.ts'
import { button, el } from '../dom.ts'
import type { Say } from '../words.ts'
import { passkeySlot } from '../record.ts'
import { copyFacts } from './copy_facts.ts'

/** Who is told. */
export interface ReplaceEvents {
  replace(): void
  decline(): void
}

/** Both are shown: what lies here, and what came. */
export function replaceScreen(say: Say, lang: Lang, arrival: Arrival, events: ReplaceEvents): HTMLElement {
  const now = new Date()
  const same = arrival.twins.some((each) => fingerprint(each.certificate) === fingerprint(arrival.certificate))
  const heading = el('h2', { tabindex: '-1', class: 'copy-title' }, say('copy-replace-title'))
  const lead = el('p', {}, say(same ? 'copy-replace-same' : 'copy-replace-renewed'))
  if (arrival.twins.some((each) => passkeySlot(each) !== null)) lead.append(' ', say('copy-replace-passkey'))
  const card = (title: string, der: Uint8Array): HTMLElement =>
    el('section', { class: 'issued-card' }, el('h3', {}, say(title)), copyFacts(der, lang, say, now))
  const here = same ? [] : arrival.twins.map((each) => card('copy-replace-here', each.certificate))
  const ends = el('div', { class: 'ends inline' }, button(say('copy-replace-no'), 'secondary', events.decline))
  ends.append(button(say('copy-replace-yes'), 'primary', events.replace))
  return el('div', { class: 'copy-replace' }, heading, lead, ...here, card('copy-replace-came', arrival.certificate), ends)
}

function fingerprint(der: Uint8Array): string {
  return new Certificate(der).fingerprintHex
}
