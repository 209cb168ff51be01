/**
 * The table of certificates: 용도 · 소유자 · 만료일 · 발급기관 · 상태 (KCAC.TS.UI), one radio button a line.
 *
 * Native radio buttons give arrow keys and the screen reader's counting; Home, End and Enter are added. A line that
 * cannot be used may be looked at, and says why; it is marked as such and is never used.
 */

import { el } from '../dom.ts'
import { fingerprintOf, type Entry } from '../entries.ts'
import type { Lang } from '../messages.ts'
import { issuerName, lookupPolicy } from '../../pure/npki/policies.ts'
import { displayName } from '../../pure/npki/subject.ts'
import type { Standing } from '../standing.ts'
import { day, type Say } from '../words.ts'

const COLUMNS = ['use', 'owner', 'until', 'issuer', 'state'] as const

/** A line to draw. */
export interface Line {
  readonly entry: Entry
  readonly standing: Standing
}

/** What drawing needs, and who is told. */
export interface ListOptions {
  readonly name: string
  readonly lang: Lang
  readonly say: Say
  readonly chosen: string | null
  readonly purpose: string
  /** What the group is called, where it is not simply certificates. */
  readonly legend?: string
  choose(id: string): void
  enter(): void
}

/** The table, or an empty fragment where there is no line. */
export function list(lines: readonly Line[], options: ListOptions): HTMLElement {
  const rows = lines.map((line) => row(line, options))
  const head = COLUMNS.map((each) => el('th', { scope: 'col', role: 'columnheader' }, options.say(`column-${each}`)))
  const table = el(
    'table',
    // Cards on a phone change `display`, which would take the table's meaning away without its roles.
    { class: 'certificates', role: 'table' },
    el('thead', { role: 'rowgroup' }, el('tr', { role: 'row' }, ...head)),
    el('tbody', { role: 'rowgroup' }, ...rows),
  )
  const legend = el('legend', { class: 'unseen' }, options.legend ?? options.say('certificates'))
  const group = el('fieldset', { class: 'list' }, legend, table)
  group.addEventListener('keydown', (event) => keyed(event, group, options))
  return group
}

function keyed(event: KeyboardEvent, group: HTMLElement, options: ListOptions): void {
  const radios = [...group.querySelectorAll<HTMLInputElement>('input[type=radio]')]
  const target = { Home: radios[0], End: radios.at(-1) }[event.key]
  if (event.key === 'Enter' && document.activeElement instanceof HTMLInputElement) {
    event.preventDefault()
    options.enter()
  }
  if (target === undefined) return
  event.preventDefault()
  target.focus()
  target.click()
}

function row(line: Line, options: ListOptions): HTMLElement {
  const { entry, standing } = line
  const texts = textsOf(entry, options)
  const radio = el('input', {
    type: 'radio',
    name: options.name,
    id: entry.id,
    value: entry.id,
    class: 'unseen',
    'aria-labelledby': COLUMNS.map((each) => `${entry.id}-${each}`).join(' '),
    'aria-disabled': standing.usable ? null : 'true',
    'data-fingerprint': fingerprintOf(entry),
  })
  radio.checked = options.chosen === entry.id
  radio.addEventListener('change', () => options.choose(entry.id))
  const cells = COLUMNS.map((each) => {
    const inside = each === 'state' ? chip(standing, options) : (texts[each] ?? '')
    const label = options.say(`column-${each}`)
    const cell = el('td', { role: 'cell', id: `${entry.id}-${each}`, class: `cell-${each}`, 'data-label': label }, inside)
    return cell
  })
  cells[0]!.prepend(radio)
  const made = el('tr', { role: 'row', class: standing.usable ? 'line' : 'line unusable' }, ...cells)
  made.addEventListener('click', (event) => {
    if (event.target === radio) return
    radio.focus()
    radio.click()
  })
  return made
}

function textsOf({ certificate, fileName }: Entry, { say, lang }: ListOptions): Record<string, string> {
  if (certificate === null) return { use: fileName, owner: say('after-password'), until: '–', issuer: '–' }
  const policy = lookupPolicy(certificate.issuer, certificate.policyOid)
  return {
    use: policy?.name[lang] ?? say('use-unknown'),
    owner: displayName(certificate.subject),
    until: day(certificate.notAfter),
    issuer: issuerName(certificate.issuer, lang),
  }
}

function chip({ chip: kind, days }: Standing, { say, purpose }: ListOptions): HTMLElement {
  // To sign an act it is the registered certificate that counts, as it is to log in.
  const acts = ['login', 'device-remove', 'contact-change', 'release', 'loan']
  const what = acts.includes(purpose) ? 'login' : ['copy-out', 'renew'].includes(purpose) ? purpose : 'registration'
  const name = kind === 'refused' ? `chip-refused-${what}` : `chip-${kind}`
  return el('span', { class: `chip chip-${kind}` }, say(name, { n: days }))
}
