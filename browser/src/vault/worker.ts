/**
 * The worker in which keys are opened: one worker, one operation, then it is ended by the window (security B11).
 *
 * Failures leave here as a code and facts that hold nothing of a key, a password or R.
 */

import { Refusal } from '../pure/failure.ts'
import { wipe } from '../pure/octets.ts'
import { perform } from './operation.ts'
import type { Answer, Work } from './work.ts'

const SEAL_KEY_WAIT_MS = 10_000
const POINT = 65

interface Scope {
  onmessage: ((event: MessageEvent<Work>) => void) | null
  postMessage(answer: Answer): void
}

const scope = globalThis as unknown as Scope

scope.onmessage = (event) => {
  void answer(event.data).then((told) => scope.postMessage(told))
}

async function answer(work: Work): Promise<Answer> {
  const told = { opened: false }
  try {
    return { ok: true, done: await perform(work, fetchSealKey, told) }
  } catch (failure) {
    // A failure that is not ours to tell says nothing: its text might hold what it failed on.
    const { code, facts } = failure instanceof Refusal ? failure : { code: 'defect', facts: {} }
    return { ok: false, code, facts, opened: told.opened }
  } finally {
    wipe(work.password)
  }
}

/** `{center}/seal-key` → `{"key_id": 16 hex, "public": base64 of 65 bytes}`; code `outage` where it does not come. */
async function fetchSealKey(center: string): Promise<Uint8Array> {
  const answered = await ask(`${center}/seal-key`)
  const text = (answered as { public?: unknown } | null)?.public
  if (typeof text !== 'string' || !/^[A-Za-z0-9+/]{86,87}={1,2}$/.test(text)) throw new Refusal('outage')
  const point = Uint8Array.from(atob(text), (each) => each.charCodeAt(0))
  if (point.length !== POINT) throw new Refusal('outage')
  return point
}

async function ask(address: string): Promise<unknown> {
  try {
    const response = await fetch(address, {
      credentials: 'omit',
      cache: 'no-store',
      redirect: 'error',
      referrerPolicy: 'no-referrer',
      signal: AbortSignal.timeout(SEAL_KEY_WAIT_MS),
    })
    if (!response.ok) throw new Refusal('outage')
    return await response.json()
  } catch {
    throw new Refusal('outage')
  }
}
