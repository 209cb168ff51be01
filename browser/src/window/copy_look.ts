/** What the server tells a sender at every look; checked like any message, although it is our own. */

export interface Seen {
  readonly id: string
  readonly kind_text: string
  readonly browser: string
  readonly region: string
  readonly same_network: boolean
  readonly opened: string
  readonly known: boolean
}

const SEEN: readonly (keyof Seen)[] = ['id', 'kind_text', 'browser', 'region', 'same_network', 'opened', 'known']

export type Step = 'receiver' | 'factor' | 'vault' | 'copied' | 'over'
const STEPS: readonly string[] = ['receiver', 'factor', 'vault', 'copied', 'over']

export interface Look {
  readonly step: Step
  readonly receiver: Seen | null
  readonly code: string | null
  readonly sent_until: string | null
  readonly receiver_text: string | null
  readonly calling: boolean
}

/** The look of an answer, or null where it is none. */
export function lookOf(told: unknown): Look | null {
  if (typeof told !== 'object' || told === null) return null
  const { step, receiver, code, sent_until: until, receiver_text: text, calling } = told as Record<string, unknown>
  if (typeof step !== 'string' || !STEPS.includes(step)) return null
  const texts = [code, until, text]
  if (!texts.every((each) => each === null || typeof each === 'string')) return null
  if (receiver !== null && !isSeen(receiver)) return null
  return { step: step as Step, receiver, code, sent_until: until, receiver_text: text, calling: calling === true } as Look
}

function isSeen(told: unknown): boolean {
  if (typeof told !== 'object' || told === null) return false
  const fields = told as Record<string, unknown>
  const texts = ['id', 'kind_text', 'browser', 'region', 'opened'].every((name) => typeof fields[name] === 'string')
  return texts && typeof fields['same_network'] === 'boolean' && typeof fields['known'] === 'boolean'
}

/** The same device, in every word that the person answers to. */
export function sameSeen(one: Seen | null, other: Seen | null): boolean {
  if (one === null || other === null) return one === other
  // Name by name: the page and the server's events tell them in orders of their own.
  return SEEN.every((name) => one[name] === other[name])
}
