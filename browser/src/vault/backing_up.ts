/** A kept certificate as a .pfx of the person's, made in the worker; the record remembers that there is one (B12, B16). */

import { Certificate } from '../pure/npki/certificate.ts'
import type { Lang } from './customers.ts'
import { issueWorker } from './labour.ts'
import { pfxName, save } from './pfx_file.ts'
import type { KeptRecord } from './record.ts'
import { replace } from './store.ts'

/** The record as it is kept now, or null and the code of why there is no file. The password's bytes move away. */
export async function backedUp(
  record: KeptRecord,
  password: Uint8Array,
  strong: boolean,
  lang: Lang,
): Promise<{ readonly record: KeptRecord | null; readonly code: string }> {
  const worker = issueWorker()
  const answer = await worker.do({ step: 'backup', record, strong, password }).finally(() => worker.end())
  if (!answer.ok) return { record: null, code: answer.code }
  if (answer.done.kind !== 'pfx') return { record: null, code: 'defect' }
  save(answer.done.pfx, pfxName(new Certificate(record.certificate), lang))
  const fresh: KeptRecord = { ...record, backup: 'done' }
  // The file is saved whatever becomes of the note; at worst it is asked for once more.
  await replace(fresh)
  return { record: fresh, code: '' }
}
