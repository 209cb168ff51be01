/**
 * What these pure modules use of the platform: WebCrypto and the text codecs, declared here because no DOM library is.
 *
 * Pages, workers and node all provide them; `subtle` exists on https and on localhost only.
 */

/** A WebCrypto key; the DOM's CryptoKey fits. */
export interface CryptoKey {
  readonly type: 'private' | 'public' | 'secret'
  readonly extractable: boolean
  readonly algorithm: { readonly name: string }
  readonly usages: readonly string[]
}

type Parameters = Readonly<Record<string, unknown>>

interface Subtle {
  importKey(
    format: 'raw' | 'pkcs8' | 'spki',
    bytes: Uint8Array,
    algorithm: string | Parameters,
    extractable: boolean,
    usages: readonly string[],
  ): Promise<CryptoKey>
  generateKey(
    algorithm: Parameters,
    extractable: boolean,
    usages: readonly string[],
  ): Promise<{ readonly privateKey: CryptoKey; readonly publicKey: CryptoKey }>
  exportKey(format: 'pkcs8', key: CryptoKey): Promise<ArrayBuffer>
  deriveBits(algorithm: Parameters, key: CryptoKey, bits: number): Promise<ArrayBuffer>
  encrypt(algorithm: Parameters, key: CryptoKey, bytes: Uint8Array): Promise<ArrayBuffer>
  decrypt(algorithm: Parameters, key: CryptoKey, bytes: Uint8Array): Promise<ArrayBuffer>
  sign(algorithm: string, key: CryptoKey, bytes: Uint8Array): Promise<ArrayBuffer>
  verify(algorithm: string | Parameters, key: CryptoKey, signature: Uint8Array, bytes: Uint8Array): Promise<boolean>
}

interface Platform {
  readonly crypto: { readonly subtle: Subtle; getRandomValues(into: Uint8Array): Uint8Array }
  readonly TextEncoder: new () => { encode(text: string): Uint8Array }
  readonly TextDecoder: new (
    label: string,
    options: { fatal: boolean; ignoreBOM: boolean },
  ) => { decode(bytes: Uint8Array): string }
}

const platform = globalThis as unknown as Platform

/** WebCrypto of this page, worker or process; looked up at use, so that these modules load anywhere. */
export function subtle(): Subtle {
  return platform.crypto.subtle
}

/** `count` bytes of the platform's generator. */
export function randomBytes(count: number): Uint8Array {
  const bytes = new Uint8Array(count)
  platform.crypto.getRandomValues(bytes)
  return bytes
}

/** A source of randomness: the parameter that sealing functions take. */
export type Randomness = (count: number) => Uint8Array

const encoder = new platform.TextEncoder()

/** UTF-8 of a text. */
export function utf8(text: string): Uint8Array {
  return encoder.encode(text)
}

/** The text of UTF-8 bytes; throws TypeError where they are not UTF-8. */
export function fromUtf8(bytes: Uint8Array): string {
  return new platform.TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
}
