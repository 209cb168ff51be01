/**
 * The field rules of flows.md in the browser: the same verdict as the server's on every text. Twin of customer/fields.py.
 *
 * The table is `generated/fields.json`, made by scripts/fields_json.py. What is said here helps while typing; the
 * server decides.
 */

import table from '../generated/fields.json' with { type: 'json' }

/** `value`: canonical, '' where refused. `error` and `warning`: keys below `fields.`, or null. */
export interface Verdict {
  readonly value: string
  readonly error: string | null
  readonly warning: string | null
}

interface Rule {
  readonly pattern: string
  readonly error: string
  readonly folds: readonly string[]
  readonly least: number
  readonly most: number
  readonly checks: readonly { readonly name: string; readonly error: string; readonly warns: boolean }[]
  readonly words: Readonly<Record<string, string>>
  readonly since: string
}

const RULES = new Map<string, Rule>(Object.entries(table.rules))
const SPACES = new Set(table.spaces)
const HYPHENS = new Set(table.hyphens)
const REGIONS = Object.entries(table.regions)

/** The parts of the rule for a new certificate password, in the order of its checklist. */
export const CERT_PASSWORD: readonly string[] = table.cert_password

/** Whether there is a rule of this name. */
export const isRule = (name: string): boolean => RULES.has(name)

/** What the table says of a text. `today` in Korea, YYYYMMDD, bounds days. Throws RangeError for an unknown rule. */
export function check(name: string, text: string, today: string): Verdict {
  const rule = RULES.get(name)
  if (rule === undefined) throw new RangeError(name)
  if ([...text].length > table.raw_most) return refused(rule.error)
  const word = rule.words[trim(text.normalize('NFC')).toLowerCase()]
  if (word !== undefined) return { value: word, error: null, warning: null }
  const value = rule.folds.reduce((folded, fold) => FOLDS[fold]!(folded), text)
  const { length } = [...value]
  const fits = length >= rule.least && length <= rule.most
  if (!fits || !new RegExp(`^(?:${rule.pattern})$`, 'u').test(value)) return refused(rule.error)
  const broken = rule.checks.filter((one) => !CHECKS[one.name]!(value, rule, today))
  const wrong = broken.find((one) => !one.warns)
  if (wrong !== undefined) return refused(wrong.error)
  return { value, error: null, warning: broken.at(-1)?.error ?? null }
}

/** Today in Korea as `check` wants it. */
export function koreanToday(now: Date): string {
  return new Date(now.getTime() + 9 * 3_600_000).toISOString().slice(0, 10).replaceAll('-', '')
}

const refused = (error: string): Verdict => ({ value: '', error, warning: null })

// Folds: text → text.

function trim(text: string): string {
  let first = 0
  let last = text.length
  while (first < last && SPACES.has(text[first]!)) first += 1
  while (last > first && SPACES.has(text[last - 1]!)) last -= 1
  return text.slice(first, last)
}

const mapped = (text: string, to: (character: string) => string): string => [...text].map(to).join('')

function narrow(character: string): string {
  const code = character.codePointAt(0)!
  if (HYPHENS.has(character)) return '-'
  if (code === 0x3000) return ' '
  return code >= 0xff01 && code <= 0xff5e ? String.fromCodePoint(code - 0xfee0) : character
}

function spaces(text: string): string {
  const blank = mapped(text, (character) => (SPACES.has(character) ? ' ' : character))
  return trim(blank.replace(/ +/gu, ' '))
}

function korea(text: string): string {
  return text.startsWith('+82') ? `0${text.slice(3).replace(/^0/u, '')}` : text
}

function region(text: string): string {
  const found = REGIONS.find(([name]) => text.startsWith(name))
  return found === undefined ? text : found[1] + text.slice(found[0].length)
}

const WRITTEN_DAY = /^([0-9]{4})[ .\-/년]+([0-9]{1,2})[ .\-/월]+([0-9]{1,2})[ .\-/일]*$/u

function eight(text: string): string {
  const [, year, month, day] = WRITTEN_DAY.exec(spaces(text)) ?? []
  if (year === undefined || month === undefined || day === undefined) return spaces(text)
  return year + month.padStart(2, '0') + day.padStart(2, '0')
}

const lower = (text: string): string => text.replace(/[A-Z]/gu, (letter) => letter.toLowerCase())

const FOLDS: Readonly<Record<string, (text: string) => string>> = {
  nfc: (text) => text.normalize('NFC'),
  width: (text) => mapped(text, narrow),
  trim,
  spaces,
  separators: (text) => mapped(text, (character) => (character === '-' || SPACES.has(character) ? '' : character)),
  upper: (text) => text.replace(/[a-z]/gu, (letter) => letter.toUpperCase()),
  lower,
  korea,
  region,
  day: eight,
  domain: (text) => {
    const at = text.lastIndexOf('@')
    return text.slice(0, at + 1) + lower(text.slice(at + 1))
  },
}

// Checks: whether a text of the right form is right.

const CENTURIES: Readonly<Record<string, string>> = { 9: '18', 0: '18', 1: '19', 2: '19', 5: '19', 6: '19' }
const BUSINESS_WEIGHTS = [1, 3, 7, 1, 3, 7, 1, 3, 5]

/** A day that was: YYYYMMDD. JavaScript's dates roll over, so it must come back as it went in; year 0 is none. */
function isDay(text: string): boolean {
  const [year, month, day] = [text.slice(0, 4), text.slice(4, 6), text.slice(6, 8)].map(Number) as [number, number, number]
  const made = new Date(Date.UTC(2000, month - 1, day))
  made.setUTCFullYear(year, month - 1, day)
  return year > 0 && made.getUTCFullYear() === year && made.getUTCMonth() === month - 1 && made.getUTCDate() === day
}

function born(value: string, _rule: Rule, today: string): boolean {
  const day = (CENTURIES[value[6]!] ?? '20') + value.slice(0, 6)
  return isDay(day) && day <= today
}

function business(value: string): boolean {
  const weighed = BUSINESS_WEIGHTS.map((weight, at) => weight * Number(value[at]))
  const total = weighed.reduce((sum, one) => sum + one, Math.floor(weighed[8]! / 10))
  return (10 - (total % 10)) % 10 === Number(value[9])
}

function corp(value: string): boolean {
  const total = [...value.slice(0, 12)].reduce((sum, digit, at) => sum + Number(digit) * (1 + (at % 2)), 0)
  return (10 - (total % 10)) % 10 === Number(value[12])
}

const CHECKS: Readonly<Record<string, (value: string, rule: Rule, today: string) => boolean>> = {
  rrn: born,
  day: (value, rule, today) => isDay(value) && value >= rule.since && value <= today,
  business,
  corp,
}
