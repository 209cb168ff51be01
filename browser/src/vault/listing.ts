/**
 * Which of the picked files make a certificate: the only place that looks at names of a listing (security B14, npki.md §4).
 *
 * Works on names and sizes alone; only the files that it returns are ever read. Any letter case of the names.
 */

export const FILE_MOST = 64 * 1024
export const LISTING_MOST = 20_000
const GROUPS_MOST = 100

/** A picked file: its path inside the picked folder (or its bare name) and its size in bytes. */
export interface Listed {
  readonly path: string
  readonly size: number
}

/** Two files of one certificate (the key may be missing, the certificate too), or one PFX. */
export type Group<T extends Listed> =
  | { readonly kind: 'pair'; readonly certificate: T | null; readonly key: T | null }
  | { readonly kind: 'pfx'; readonly pfx: T }

/** `tooLarge`: how many certificate files were too large; `full`: whether more were there than are shown. */
export interface Grouped<T extends Listed> {
  readonly groups: readonly Group<T>[]
  readonly tooLarge: number
  readonly full: boolean
}

const CERTIFICATES = new Set(['signcert.der', 'signcert.cer', 'sigcert.der', 'user.der'])
const KEYS = new Set(['signpri.key'])
const PFX = /\.(pfx|p12)$/
const CERTIFICATE_LIKE = /\.(der|cer|crt)$/
const KEY_LIKE = /\.key$/
// Trees of certificates to trust and pairs for encryption lie beside; neither signs.
const ENCRYPTION = new Set(['kmcert.der', 'kmpri.key'])

/** The certificates of a listing: pairs folder by folder, then PFX files. */
export function grouped<T extends Listed>(listing: readonly T[]): Grouped<T> {
  const looked = listing.slice(0, LISTING_MOST)
  const named = looked.filter((each) => isNamed(nameOf(each)))
  const chosen = named.length === 0 ? alonePair(looked) : named
  const fitting = chosen.filter((each) => each.size > 0 && each.size <= FILE_MOST)
  const groups = [...pairs(fitting), ...fitting.filter((each) => PFX.test(nameOf(each))).map(asPfx)]
  return {
    groups: groups.slice(0, GROUPS_MOST),
    tooLarge: chosen.length - fitting.length,
    full: groups.length > GROUPS_MOST || listing.length > LISTING_MOST,
  }
}

/** Whether a file of this name may belong to a certificate: the others are not even asked for their size. */
export function mayMatter(name: string): boolean {
  return isNamed(name.toLowerCase())
}

function nameOf(file: Listed): string {
  return file.path.slice(file.path.lastIndexOf('/') + 1).toLowerCase()
}

function folderOf(file: Listed): string {
  return file.path.slice(0, file.path.lastIndexOf('/') + 1)
}

function isNamed(name: string): boolean {
  return CERTIFICATES.has(name) || KEYS.has(name) || PFX.test(name)
}

/** Two renamed files, picked by hand and nothing else with them: a certificate and a key all the same. */
function alonePair<T extends Listed>(listing: readonly T[]): readonly T[] {
  const own = listing.filter((each) => !ENCRYPTION.has(nameOf(each)))
  const certificates = own.filter((each) => CERTIFICATE_LIKE.test(nameOf(each)))
  const keys = own.filter((each) => KEY_LIKE.test(nameOf(each)))
  return own.length === 2 && certificates.length === 1 && keys.length === 1 ? own : []
}

function pairs<T extends Listed>(files: readonly T[]): Group<T>[] {
  return [...byFolder(files).values()].flatMap(pairsOfFolder)
}

function byFolder<T extends Listed>(files: readonly T[]): Map<string, T[]> {
  const folders = new Map<string, T[]>()
  for (const file of files) folders.set(folderOf(file), [...(folders.get(folderOf(file)) ?? []), file])
  return folders
}

/** In a folder the first certificate belongs to the first key; loose files of several folders come in that order too. */
function pairsOfFolder<T extends Listed>(files: readonly T[]): Group<T>[] {
  const keys = files.filter((each) => KEY_LIKE.test(nameOf(each)))
  const certificates = files.filter((each) => CERTIFICATE_LIKE.test(nameOf(each)))
  const count = Math.max(keys.length, certificates.length)
  return Array.from({ length: count }, (_, at) => ({
    kind: 'pair',
    certificate: certificates[at] ?? null,
    key: keys[at] ?? null,
  }))
}

function asPfx<T extends Listed>(pfx: T): Group<T> {
  return { kind: 'pfx', pfx }
}
