/** Base64 as messages carry bytes. */

export function toBase64(bytes: Uint8Array): string {
  return btoa(Array.from(bytes, (each) => String.fromCharCode(each)).join(''))
}

/** The bytes of a text that is base64 by its form. Throws where it is none after all. */
export function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (each) => each.charCodeAt(0))
}
