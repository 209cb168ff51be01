/**
 * Copying out, from the encrypted key to its proof: what the worker does (security A19, B11, C11; M-COPY-10).
 *
 * In this order: open → the certificate is one that may leave → the key belongs to it → both fit the payload → sign the
 * challenge that names the receiving device. What leaves is the key file as it lies there; a PFX has none, so its PKCS#8,
 * R included, goes into one unchanged. The opened bytes are overwritten whatever happens.
 */

import { challengeText } from '../pure/challenge.ts'
import { canCarry } from '../pure/channel/frames.ts'
import { Refusal } from '../pure/failure.ts'
import { sign } from '../pure/npki/cms.ts'
import { openKey } from '../pure/npki/key_file.ts'
import { Certificate } from '../pure/npki/certificate.ts'
import type { CopyDone, CopyWork } from './copy_work.ts'
import { keyFileOf, open, type Opened } from './operation.ts'
import { openRecord } from './record.ts'

/** What the worker knows when it fails. */
export interface Progress {
  opened: boolean
  certificate: Uint8Array | null
  proved?: Uint8Array
}

/** Does the work. Throws a Refusal; `told` says how far it came. */
export async function performCopy(work: CopyWork, told: Progress): Promise<CopyDone> {
  return work.copy === 'prove' ? prove(work, told) : attempt(work, told)
}

async function prove(work: Extract<CopyWork, { copy: 'prove' }>, told: Progress): Promise<CopyDone> {
  if (work.challenge.purpose !== 'copy-out') throw new Refusal('defect')
  const opened = await open(work)
  told.opened = true
  if (opened.proved !== undefined) told.proved = opened.proved
  try {
    return await proved(work, opened, told)
  } finally {
    opened.key.wipe()
  }
}

async function proved(
  { bound, challenge, password, signingTime }: Extract<CopyWork, { copy: 'prove' }>,
  opened: Opened,
  told: Progress,
): Promise<CopyDone> {
  const { certificate, key, raise } = opened
  told.certificate = certificate.der
  if (!bound.includes(certificate.fingerprintHex)) throw new Refusal('copy-not-registered')
  key.requireMatch(certificate.publicKey)
  const keyFile = await keyFileOf(opened, password)
  if (!canCarry({ certificate: certificate.der, keyFile })) throw new Refusal('copy-payload')
  const content = challengeText(challenge, certificate.der, null)
  const signed = await sign(content, certificate, key, { purpose: challenge.purpose, signingTime: new Date(signingTime) })
  return { kind: 'proved', signed, certificate: certificate.der, keyFile, raise }
}

/** 비밀번호 확인: the first time, what lay as it came is sealed like every record (B6). */
async function attempt({ record, password }: Extract<CopyWork, { copy: 'try' }>, told: Progress): Promise<CopyDone> {
  const { keyFile, raised } = await openRecord(record, password)
  const key = await openKey(keyFile, password)
  told.opened = true
  try {
    key.requireMatch(new Certificate(record.certificate).publicKey)
    return { kind: 'tried', raise: raised }
  } finally {
    key.wipe()
  }
}
