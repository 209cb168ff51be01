/**
 * The window's side of the worker: one worker for one operation, started ahead so that its code is ready (B11).
 */

import type { CopyAnswer, CopyWork } from './copy_work.ts'
import type { IssueAnswer, IssueStep } from './issue_steps.ts'
import type { ManageAnswer, ManageStep } from './manage_work.ts'
import type { Answer, Work } from './work.ts'
import { workerAddress } from './worker_address.ts'

// Time to overwrite what it holds, before it is gone.
const END_MS = 100

let ready: Worker | null = null

/** Starts the next worker, so that nobody waits for its code after typing a password. */
export function prepare(): void {
  if (ready !== null) return
  const made = new Worker(workerAddress('worker'), { type: 'module', name: 'ingam-vault' })
  // One whose code did not arrive would never answer: whoever needs it starts another.
  made.onerror = () => {
    if (ready === made) ready = null
  }
  ready = made
}

/** Has the work done and ends the worker. The password's bytes move: none stay here. */
export function done(work: Work): Promise<Answer> {
  return once<Answer>(work, secretsOf(work), { ok: false, code: 'defect', facts: {}, opened: false, proved: null })
}

/** The same for what a copy needs. */
export function copyDone(work: CopyWork): Promise<CopyAnswer> {
  const broken = { ok: false, code: 'defect', facts: {}, opened: false, certificate: null, proved: null } as const
  return once<CopyAnswer>(work, secretsOf(work), broken)
}

function secretsOf(work: Work | CopyWork): ArrayBufferLike[] {
  if ('copy' in work && work.copy === 'try') return [work.password.buffer]
  const { password, prf, pin } = work
  return [password.buffer, ...(prf === undefined ? [] : [prf.buffer]), ...(pin === undefined ? [] : [pin.output.buffer])]
}

function once<T>(work: Work | CopyWork, moved: ArrayBufferLike[], broken: T): Promise<T> {
  prepare()
  const worker = ready!
  ready = null
  return new Promise<T>((resolve) => {
    worker.onmessage = (event: MessageEvent<T>) => resolve(event.data)
    worker.onerror = () => resolve(broken)
    worker.postMessage(work, moved as ArrayBuffer[])
  }).finally(() => {
    worker.terminate()
    prepare()
  })
}

/** The worker of one issue: its steps, one after the other, and its end. */
export interface IssueWorker {
  do(step: IssueStep): Promise<IssueAnswer>
  /** Overwrites what it holds and ends it. */
  end(): void
}

/** A worker that lives for one issue (B11: one operation, however many steps). */
export function issueWorker(): IssueWorker {
  prepare()
  const worker = ready!
  ready = null
  let last: Promise<unknown> = Promise.resolve()
  const step = (asked: IssueStep): Promise<IssueAnswer> =>
    new Promise((resolve) => {
      worker.onmessage = (event: MessageEvent<IssueAnswer>) => resolve(event.data)
      worker.onerror = () => resolve({ ok: false, code: 'defect', facts: {}, failInfo: null, texts: null })
      const password = 'password' in asked ? asked.password : undefined
      const fresh = 'fresh' in asked ? asked.fresh : undefined
      const moved = [password, fresh].flatMap((each) => (each === undefined || each === null ? [] : [each.buffer]))
      worker.postMessage(asked, moved)
    })
  return {
    do: (asked) => {
      const answer = last.then(() => step(asked))
      last = answer
      return answer
    },
    end: () => {
      worker.postMessage('end')
      setTimeout(() => worker.terminate(), END_MS)
      prepare()
    },
  }
}

/** The worker of one task at the certificate desk. */
export interface ManageWorker {
  do(step: ManageStep): Promise<ManageAnswer>
  end(): void
}

/** A worker that lives for one task: a password's change is made in one step and confirmed in another. */
export function manageWorker(): ManageWorker {
  prepare()
  const worker = ready!
  ready = null
  const broken: ManageAnswer = { ok: false, code: 'defect', facts: {}, opened: false, certificate: null }
  return {
    do: (step) =>
      new Promise((resolve) => {
        worker.onmessage = (event: MessageEvent<ManageAnswer>) => resolve(event.data)
        worker.onerror = () => resolve(broken)
        worker.postMessage(step, movedOf(step))
      }),
    end: () => {
      worker.postMessage('end')
      setTimeout(() => worker.terminate(), END_MS)
      prepare()
    },
  }
}

function movedOf(step: ManageStep): ArrayBuffer[] {
  const bytes = [...('password' in step ? [step.password] : []), ...('fresh' in step ? [step.fresh] : [])]
  if (step.manage === 'passkey') bytes.push(step.passkey.prf)
  if (step.manage === 'pin') bytes.push(step.pin.output, step.pin.seed)
  return bytes.map((each) => each.buffer as ArrayBuffer)
}
