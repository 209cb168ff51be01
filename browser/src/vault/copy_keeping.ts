/**
 * What came, on its way into this browser: looked at, kept as it came, read back, and what the sender is told of it.
 *
 * Parsed within the bounds of every import; nothing of it is believed before (security C14). Kept beside what it takes
 * the place of, and only when it was read back and found the same does the older one go (C13, M-COPY-08).
 */

import { type Payload, payloadDigest } from '../pure/channel/frames.ts'
import { Refusal } from '../pure/failure.ts'
import { Certificate } from '../pure/npki/certificate.ts'
import { describe } from '../pure/npki/key_file.ts'
import { sameName } from '../pure/npki/subject.ts'
import { same } from '../pure/octets.ts'
import type { Arrival } from './copy_machine.ts'
import { keepAsItCame, keyFileAsItCame, type KeptRecord } from './record.ts'
import { CannotKeep, kept, recordOf, remove, store } from './store.ts'

/** It is not a certificate for signing with a key file beside it: code `copy-payload`. */
export class PayloadRefused extends Refusal {
  constructor() {
    super('copy-payload')
    this.name = 'PayloadRefused'
  }
}

/** The certificate of a payload, every part of it that is shown or compared read once. Throws PayloadRefused. */
export function certificateOf({ certificate, keyFile }: Payload): Certificate {
  try {
    const found = new Certificate(certificate)
    void [found.publicKey, found.policies, found.identifyData]
    if (found.keyUsage?.has('digitalSignature') !== true) throw new PayloadRefused()
    describe(keyFile)
    return found
  } catch (failure) {
    if (failure instanceof Refusal) throw new PayloadRefused()
    throw failure
  }
}

/** The records that a certificate would take the place of: of the same bytes, or of the same holder by the same issuer. */
export function twinsOf(certificate: Certificate, records: readonly KeptRecord[]): readonly KeptRecord[] {
  return records.filter((record) => {
    const other = readOrNull(record.certificate)
    if (other === null) return false
    const alike = sameName(other.subject, certificate.subject) && sameName(other.issuer, certificate.issuer)
    return alike || other.fingerprintHex === certificate.fingerprintHex
  })
}

function readOrNull(der: Uint8Array): Certificate | null {
  try {
    return new Certificate(der)
  } catch {
    return null
  }
}

/** What a payload is here. Throws PayloadRefused. */
export async function examined(payload: Payload): Promise<Arrival> {
  const certificate = certificateOf(payload)
  return { certificate: payload.certificate, twins: twinsOf(certificate, await kept()) }
}

/** What lies here now, and the digest of what was read back, with which the sender compares what it sent. */
export interface KeptBack {
  readonly record: KeptRecord
  readonly digest: Uint8Array
}

/** Keeps a payload strictly, reads it back, and removes what it takes the place of. Throws CannotKeep. */
export async function keptBack(payload: Payload, twins: readonly KeptRecord[]): Promise<KeptBack> {
  const written = await keepAsItCame(payload.certificate, payload.keyFile)
  await store(written)
  const record = await recordOf(written.id)
  const digest = record === null ? null : await digestOf(record)
  if (record === null || digest === null || !same(digest, payloadDigest(payload))) {
    await remove(written.id).catch(() => undefined)
    throw new CannotKeep()
  }
  // What cannot be removed opens as before; the new one is there all the same.
  for (const each of twins) await remove(each.id).catch(() => undefined)
  return { record, digest }
}

/** Digest of a record as it was read back (C13), or null where it does not open. */
async function digestOf(record: KeptRecord): Promise<Uint8Array | null> {
  const keyFile = await keyFileAsItCame(record).catch(() => null)
  return keyFile === null ? null : payloadDigest({ certificate: record.certificate, keyFile })
}
