/** Asks our own server for a challenge: the form's own fields go along, the answer is checked like any message. */

import { type ChallengeMessage, challengeMessage } from '../vault/messages.ts'
import { ChallengeFailure } from './frame.ts'

// What the window itself fills in; nothing of an earlier answer goes back.
const OWN_FIELDS = ['nonce', 'signed', 'sealed']

/** The challenge for a form. Throws ChallengeFailure with the server's sentence, TypeError where nothing came. */
export async function requestChallenge(form: HTMLFormElement): Promise<ChallengeMessage> {
  const fields = new FormData(form)
  for (const name of OWN_FIELDS) fields.delete(name)
  const response = await fetch(form.dataset['challenge'] ?? '', {
    method: 'POST',
    headers: { Accept: 'application/json', 'X-Ingam-CSRF': String(fields.get('csrf') ?? '') },
    body: new URLSearchParams([...fields].map(([name, value]) => [name, String(value)])),
    cache: 'no-store',
    redirect: 'error',
  })
  const told: unknown = await response.json()
  if (!response.ok || isFailure(told)) throw failureOf(told)
  return challengeMessage(told)
}

function isFailure(told: unknown): told is { code: string; message: string } {
  const { code, message } = (told ?? {}) as Record<string, unknown>
  return typeof code === 'string' && typeof message === 'string'
}

function failureOf(told: unknown): ChallengeFailure {
  return isFailure(told) ? new ChallengeFailure(told.code, told.message) : new ChallengeFailure('outage', '')
}
