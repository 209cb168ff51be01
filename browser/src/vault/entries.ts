/**
 * The lines of the certificate window: what was found in files or kept in this browser, read as far as no password is
 * needed. Bytes stay in this frame.
 */

import { sha256 } from '@noble/hashes/sha2.js'
import { refusalCode } from '../pure/failure.ts'
import { Certificate } from '../pure/npki/certificate.ts'
import { describe } from '../pure/npki/key_file.ts'
import { HIDDEN } from '../pure/npki/subject.ts'
import { toHex } from '../pure/octets.ts'
import type { Group, Listed } from './listing.ts'
import { type KeptRecord, type PasskeySlot, passkeySlot, pinSlot } from './record.ts'
import type { KeySource } from './work.ts'

/** One line. `certificate` null: a PFX that shows its certificate only after the password, or bytes that are none. */
export interface Entry {
  /** Unique in this window; may stand in an element's id. */
  readonly id: string
  readonly certificate: Certificate | null
  /** null where no key can be opened; then `trouble` says why. */
  readonly source: KeySource | null
  /** A failure code, or null. */
  readonly trouble: string | null
  /** The name of a PFX file, which is all that is known of it before the password. */
  readonly fileName: string
}

/** A picked file that can be read. */
export interface Picked extends Listed {
  read(): Promise<Uint8Array>
}

let count = 0

/** The line of a kept record. */
export function entryOfRecord(record: KeptRecord): Entry {
  const { certificate, trouble } = readCertificate(record.certificate)
  return { id: `kept-${record.id}`, certificate, source: { kind: 'record', record }, trouble, fileName: '' }
}

/** The line of a group of picked files; reads them. */
export async function entryOfGroup(group: Group<Picked>): Promise<Entry> {
  const id = `file-${(count += 1)}`
  if (group.kind === 'pfx') {
    const pfx = await group.pfx.read()
    return { id, certificate: null, source: { kind: 'pfx', pfx }, trouble: null, fileName: lastName(group.pfx.path) }
  }
  if (group.certificate === null) return troubled(id, group.key, 'certificate-file-missing')
  const { certificate, trouble } = readCertificate(await group.certificate.read())
  if (certificate === null) return troubled(id, group.certificate, trouble)
  if (group.key === null) return { ...troubled(id, group.certificate, 'key-file-missing'), certificate }
  const keyFile = await group.key.read()
  const source: KeySource = { kind: 'file', certificate: certificate.der, keyFile }
  return { id, certificate, source, trouble: trouble ?? keyTrouble(keyFile), fileName: lastName(group.certificate.path) }
}

function troubled(id: string, file: Picked | null, trouble: string | null): Entry {
  return { id, certificate: null, source: null, trouble, fileName: lastName(file?.path ?? '') }
}

const NAME_SHOWN = 80

/** The name of a file as it may stand on the screen: who made the file chose it, bidi marks and length included (A19). */
function lastName(path: string): string {
  const name = path.slice(path.lastIndexOf('/') + 1).replace(HIDDEN, '\ufffd')
  return name.length > NAME_SHOWN ? `${name.slice(0, NAME_SHOWN - 1)}…` : name
}

/** Reads everything that the window shows, so that no getter fails while drawing. */
function readCertificate(der: Uint8Array): { certificate: Certificate | null; trouble: string | null } {
  try {
    const certificate = new Certificate(der)
    void [certificate.publicKey, certificate.policies, certificate.keyUsage, certificate.identifyData]
    return { certificate, trouble: null }
  } catch (failure) {
    return { certificate: null, trouble: refusalCode(failure) }
  }
}

function keyTrouble(keyFile: Uint8Array): string | null {
  try {
    describe(keyFile)
    return null
  } catch (failure) {
    return refusalCode(failure)
  }
}

/** What an entry is remembered by: 64 lower hex of its certificate, or null where that is not known yet. */
export function fingerprintOf(entry: Entry): string | null {
  return entry.certificate?.fingerprintHex ?? null
}

/** By what wrong passwords are counted: the certificate, and of a PFX that was not opened yet its own bytes. */
export function countNameOf(entry: Entry): string {
  return fingerprintOf(entry) ?? (entry.source?.kind === 'pfx' ? toHex(sha256(entry.source.pfx)) : entry.id)
}

/** The slot of a line's passkey, or null. */
export function passkeyOf({ source }: Entry): PasskeySlot | null {
  return source?.kind === 'record' ? passkeySlot(source.record) : null
}

/** The record of a line that opens by 간편비밀번호, or null. */
export function withPinOf({ source }: Entry): KeptRecord | null {
  return source?.kind === 'record' && pinSlot(source.record) !== null ? source.record : null
}

/** Later lines in the place of earlier ones of the same certificate and origin, so that picking twice shows one. */
export function merged(before: readonly Entry[], more: readonly Entry[]): readonly Entry[] {
  const keys = new Set(more.map(mergeKey))
  return [...before.filter((each) => !keys.has(mergeKey(each))), ...more]
}

function mergeKey(entry: Entry): string {
  return `${fingerprintOf(entry) ?? entry.fileName} ${entry.source?.kind ?? 'none'}`
}
