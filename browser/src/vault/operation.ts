/**
 * One signature, from the encrypted key to the answer: what the worker does (security A1, A2, A15, B11).
 *
 * In this order: open → the key belongs to the certificate → R is there if asked for → seal R → build the text → sign
 * → keep, if the person wants. The opened bytes are overwritten whatever happens.
 */

import { challengeText } from '../pure/challenge.ts'
import { Refusal } from '../pure/failure.ts'
import { wipe } from '../pure/octets.ts'
import { Certificate } from '../pure/npki/certificate.ts'
import { sign } from '../pure/npki/cms.ts'
import { openKey, sealKey } from '../pure/npki/key_file.ts'
import { openPfx } from '../pure/npki/pfx.ts'
import { PrivateKey } from '../pure/npki/private_key.ts'
import { sealRandom } from '../pure/seal.ts'
import { keep, type KeptRecord, openByPasskey, openByPin, openRecord } from './record.ts'
import type { Done, PinOpening, Work } from './work.ts'

/** Fetches the server's sealing key from the configured center: 65 bytes. */
export type SealKeySource = (center: string) => Promise<Uint8Array>

/** The certificate asks for R and the key has none: code `vid-missing` (M-REG-03). */
export class RandomMissing extends Refusal {
  constructor() {
    super('vid-missing')
    this.name = 'RandomMissing'
  }
}

/** An opened pair. `keyFile`: its EncryptedPrivateKeyInfo as it is, or null where it came out of a PFX. */
export interface Opened {
  readonly key: PrivateKey
  readonly certificate: Certificate
  readonly keyFile: Uint8Array | null
  readonly raise: KeptRecord | null
  /** The slot's signature where a PIN opened it. */
  readonly proved?: Uint8Array
}

/** How far it came: whether the key was opened, and the slot's signature where a PIN did it. */
export interface Told {
  opened: boolean
  proved?: Uint8Array
}

/** Does the work. Throws a Refusal; `told` says how far it had come by then. */
export async function perform(work: Work, sealKey: SealKeySource, told: Told): Promise<Done> {
  const opened = await open(work)
  told.opened = true
  if (opened.proved !== undefined) told.proved = opened.proved
  try {
    return await use(work, opened, sealKey)
  } finally {
    opened.key.wipe()
  }
}

/** Opens a pair by its password, or by what its passkey or its PIN gave. The caller wipes the key. */
export async function open({ source, password, prf, pin }: Pick<Work, 'source' | 'password' | 'prf' | 'pin'>): Promise<Opened> {
  if (source.kind === 'pfx') {
    const { key, certificate } = await openPfx(source.pfx, password)
    return { key, certificate, keyFile: null, raise: null }
  }
  if (source.kind === 'file') {
    const key = await openKey(source.keyFile, password)
    return { key, certificate: new Certificate(source.certificate), keyFile: source.keyFile, raise: null }
  }
  if (prf !== undefined) return openedByPasskey(source.record, prf)
  if (pin !== undefined) return openedByPin(source.record, pin)
  const { keyFile, raised } = await openRecord(source.record, password)
  const key = await openKey(keyFile, password)
  return { key, certificate: new Certificate(source.record.certificate), keyFile, raise: raised }
}

async function openedByPasskey(record: KeptRecord, prf: Uint8Array): Promise<Opened> {
  const { pkcs8, keyFile } = await openByPasskey(record, prf)
  return { key: new PrivateKey(pkcs8), certificate: new Certificate(record.certificate), keyFile, raise: null }
}

async function openedByPin(record: KeptRecord, { output, proof }: PinOpening): Promise<Opened> {
  const { pkcs8, keyFile, proved } = await openByPin(record, output, proof)
  return { key: new PrivateKey(pkcs8), certificate: new Certificate(record.certificate), keyFile, raise: null, proved }
}

async function use(work: Work, opened: Opened, sealKeySource: SealKeySource): Promise<Done> {
  const { key, certificate } = opened
  key.requireMatch(certificate.publicKey)
  const sealed = work.sealFor === null ? null : await sealedRandom(work, opened, work.sealFor, sealKeySource)
  const content = challengeText(work.challenge, certificate.der, sealed)
  const signingTime = new Date(work.signingTime)
  const signed = await sign(content, certificate, key, { purpose: work.challenge.purpose, signingTime })
  return {
    signed,
    sealed,
    certificate: certificate.der,
    keep: work.keep ? await record(opened, work.password) : null,
    raise: opened.raise,
  }
}

async function sealedRandom(
  work: Work,
  { key, certificate }: Opened,
  center: string,
  sealKeySource: SealKeySource,
): Promise<Uint8Array> {
  if (key.random === null) throw new RandomMissing()
  return sealRandom(await sealKeySource(center), key.random, work.challenge, certificate.der)
}

/** The record to store. */
async function record(opened: Opened, password: Uint8Array): Promise<KeptRecord> {
  return checked(await keep(opened.certificate.der, await keyFileOf(opened, password), password), password)
}

/** The key file as it is. A PFX holds none of its own, so its PKCS#8, R included, goes into one unchanged. */
export async function keyFileOf({ key, keyFile }: Opened, password: Uint8Array): Promise<Uint8Array> {
  return keyFile ?? (await sealKey(key.pkcs8, password, { variant: 'pbes2-aes-256', prf: 'hmac-sha256' }))
}

/** A record leaves here only after it opened again to the same key (the storage then compares bytes). */
async function checked(record: KeptRecord, password: Uint8Array): Promise<KeptRecord> {
  const { keyFile } = await openRecord(record, password)
  const key = await openKey(keyFile, password)
  wipe(key.pkcs8)
  return record
}
