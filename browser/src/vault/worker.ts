/**
 * The worker in which keys are opened: one worker, one operation, then it is ended by the window (security B11).
 *
 * A signature or a copy's proof is one message; an issue, or a task of the certificate desk, one operation of several
 * steps. Failures leave here as a code and facts that hold nothing of a key, a password or R.
 */

import { type Facts, Refusal } from '../pure/failure.ts'
import { wipe } from '../pure/octets.ts'
import { AuthorityRefused } from '../pure/cmp/refusal.ts'
import { performCopy, type Progress } from './copy_operation.ts'
import type { CopyAnswer, CopyWork } from './copy_work.ts'
import type { IssueAnswer, IssueStep } from './issue_steps.ts'
import { Issuing } from './issuing.ts'
import type { ManageAnswer, ManageStep } from './manage_work.ts'
import { Managing, type Progress as Managed } from './managing.ts'
import { perform, type Told } from './operation.ts'
import type { Answer, Work } from './work.ts'

const SEAL_KEY_WAIT_MS = 10_000
const POINT = 65

interface Scope {
  onmessage: ((event: MessageEvent<Work | CopyWork | IssueStep | ManageStep | 'end'>) => void) | null
  postMessage(answer: Answer | CopyAnswer | IssueAnswer | ManageAnswer): void
}

const scope = globalThis as unknown as Scope
const issuing = new Issuing()
const managing = new Managing()

scope.onmessage = ({ data }) => {
  if (data === 'end') {
    issuing.end()
    managing.end()
  } else if ('manage' in data) void answerManage(data).then((told) => scope.postMessage(told))
  else if ('copy' in data) void answerCopy(data).then((told) => scope.postMessage(told))
  else if ('step' in data) void answerStep(data).then((told) => scope.postMessage(told))
  else void answer(data).then((told) => scope.postMessage(told))
}

async function answerStep(step: IssueStep): Promise<IssueAnswer> {
  try {
    return { ok: true, done: await issuing.perform(step) }
  } catch (failure) {
    const { code, facts } = told(failure)
    const proven = failure instanceof AuthorityRefused
    const of = { failInfo: proven ? failure.failInfo : null, texts: proven ? failure.texts : null }
    return { ok: false, code, facts, ...of }
  }
}

async function answerCopy(work: CopyWork): Promise<CopyAnswer> {
  const progress: Progress = { opened: false, certificate: null }
  try {
    const done = await performCopy(work, progress)
    return { ok: true, done, proved: progress.proved ?? null }
  } catch (failure) {
    return { ok: false, ...told(failure), ...progress, proved: progress.proved ?? null }
  } finally {
    wipe(work.password)
    if (work.copy === 'prove' && work.prf !== undefined) wipe(work.prf)
    if (work.copy === 'prove' && work.pin !== undefined) wipe(work.pin.output)
  }
}

/** A new password stays until its step of checking; every other one is overwritten here. */
async function answerManage(step: ManageStep): Promise<ManageAnswer> {
  const progress: Managed = { opened: false, certificate: null }
  try {
    return { ok: true, done: await managing.perform(step, progress) }
  } catch (failure) {
    return { ok: false, ...told(failure), ...progress }
  } finally {
    if ('password' in step) wipe(step.password)
    if (step.manage === 'passkey') wipe(step.passkey.prf)
    if (step.manage === 'pin') wipe(step.pin.output, step.pin.seed)
  }
}

async function answer(work: Work): Promise<Answer> {
  const progress: Told = { opened: false }
  try {
    const done = await perform(work, fetchSealKey, progress)
    return { ok: true, done, proved: progress.proved ?? null }
  } catch (failure) {
    return { ok: false, ...told(failure), ...progress, proved: progress.proved ?? null }
  } finally {
    wipe(work.password)
    if (work.prf !== undefined) wipe(work.prf)
    if (work.pin !== undefined) wipe(work.pin.output)
  }
}

/** A failure that is not ours to tell says nothing: its text might hold what it failed on. */
function told(failure: unknown): { code: string; facts: Facts } {
  if (!(failure instanceof Refusal)) return { code: 'defect', facts: {} }
  return { code: failure.code, facts: failure.facts }
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
