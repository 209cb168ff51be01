/** The .pfx as a file of the person's: its name, and saving it from inside the frame (flows.md W7, B16). */

import type { Certificate } from '../pure/npki/certificate.ts'
import { lookupPolicy } from '../pure/npki/policies.ts'
import { displayName } from '../pure/npki/subject.ts'
import type { Lang } from './customers.ts'
import { day } from './words.ts'

const FREED_AFTER_MS = 60_000

/** `이름_용도_만료일.pfx`, without a character that a file system refuses. */
export function pfxName(certificate: Certificate, lang: Lang): string {
  return fileName(certificate, lang, 'pfx')
}

/** The same with another ending. */
export function fileName(certificate: Certificate, lang: Lang, ending: string): string {
  const use = lookupPolicy(certificate.issuer, certificate.policyOid)?.name[lang] ?? 'ingam'
  const parts = [displayName(certificate.subject), use, day(certificate.notAfter)]
  return `${parts.map((each) => each.replace(/[^\p{L}\p{N}.-]+/gu, '')).join('_')}.${ending}`
}

/** Hands the bytes to the browser to save. They never leave the device. */
export function save(bytes: Uint8Array, name: string, type = 'application/x-pkcs12'): void {
  const address = URL.createObjectURL(new Blob([bytes as Uint8Array<ArrayBuffer>], { type }))
  const link = document.createElement('a')
  link.href = address
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(address), FREED_AFTER_MS)
}
