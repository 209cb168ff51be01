/** A certificate alone as a file of the person's: PEM or DER, never with its key (W7). */

import type { Certificate } from '../pure/npki/certificate.ts'
import { toBase64 } from './base64.ts'
import type { Lang } from './customers.ts'
import { fileName, save } from './pfx_file.ts'

/** Saves it under the name of B16's files with another ending. */
export function saveCertificate(certificate: Certificate, lang: Lang, form: 'pem' | 'der'): void {
  const name = fileName(certificate, lang, form === 'pem' ? 'pem' : 'der')
  const bytes = form === 'der' ? certificate.der : new TextEncoder().encode(pemOf(certificate.der))
  save(bytes, name, form === 'pem' ? 'application/x-pem-file' : 'application/pkix-cert')
}

/** A PEM of RFC 7468 §5: lines of 64. */
function pemOf(der: Uint8Array): string {
  return `-----BEGIN CERTIFICATE-----\n${toBase64(der).replace(/.{1,64}/g, '$&\n')}-----END CERTIFICATE-----\n`
}
