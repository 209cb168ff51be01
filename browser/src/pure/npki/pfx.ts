/**
 * PFX files (.pfx, .p12; RFC 7292): certificates and keys under one password, with R and every attribute kept.
 *
 * The PKCS#8 bytes come out as they went in. The MAC is verified first. Twin of pfx.py; BER is read, DER is written.
 */

import { hmac } from '@noble/hashes/hmac.js'
import { sha1 } from '@noble/hashes/legacy.js'
import { Refusal } from '../failure.ts'
import { copy, join, same, wipe } from '../octets.ts'
import { type Randomness, randomBytes } from '../platform.ts'
import { wholeOfBer } from './ber.ts'
import { type BlockCipher, decryptBlocks, encryptCbc } from './cbc.ts'
import { Certificate } from './certificate.ts'
import {
  algorithm,
  type Element,
  explicit,
  integer,
  NotDer,
  OCTET_STRING,
  octets,
  oid,
  seq,
  SET,
  setOf,
} from './der.ts'
import { tripleDes } from './des.ts'
import { BACKUP_ITERATIONS, KeyTooLarge, sealKey, SIZE_MOST, unwrapped, WrongPassword } from './key_file.ts'
import {
  boundedIterations,
  decrypt,
  ITERATIONS_MOST,
  readEncryption,
  SALT_MOST,
  TooManyIterations,
  UnknownKeyVariant,
} from './pbes.ts'
import { HASHES, type HashName, pkcs12Kdf, pkcs12Password, PURPOSE_IV, PURPOSE_KEY, PURPOSE_MAC } from './pkcs12_kdf.ts'
import { DamagedKey, KeyMismatch, PrivateKey } from './private_key.ts'
import { rc2 } from './rc2.ts'

/** Bags, and contents of the file; a personal .pfx has two or four bags. */
const PARTS_MOST = 32
/** Iterations of all derivations of one file together. */
const WORK_MOST = 3 * ITERATIONS_MOST

const DATA = '1.2.840.113549.1.7.1'
const ENCRYPTED_DATA = '1.2.840.113549.1.7.6'
const KEY_BAG = '1.2.840.113549.1.12.10.1.1'
const SHROUDED_BAG = '1.2.840.113549.1.12.10.1.2'
const CERT_BAG = '1.2.840.113549.1.12.10.1.3'
const X509 = '1.2.840.113549.1.9.22.1'
const LOCAL_KEY_ID = '1.2.840.113549.1.9.21'
const TRIPLE_DES = '1.2.840.113549.1.12.1.3'
const SHA1 = '1.3.14.3.2.26'
const SHA256 = '2.16.840.1.101.3.4.2.1'

const HASH_OIDS: Readonly<Record<string, HashName>> = {
  [SHA1]: 'sha1',
  [SHA256]: 'sha256',
  '2.16.840.1.101.3.4.2.2': 'sha384',
  '2.16.840.1.101.3.4.2.3': 'sha512',
}

/** Every scheme of RFC 7292 appendix C that is met has blocks of 8 bytes. */
const BLOCK = 8

interface Scheme {
  /** Bytes of key that are derived (RFC 7292 appendix C). */
  readonly keySize: number
  readonly cipher: (key: Uint8Array) => BlockCipher
}
const SCHEMES: Readonly<Record<string, Scheme>> = {
  [TRIPLE_DES]: { keySize: 24, cipher: tripleDes },
  // Two-key triple DES repeats its first key.
  '1.2.840.113549.1.12.1.4': { keySize: 16, cipher: (key) => tripleDes(join(key, key.subarray(0, 8))) },
  '1.2.840.113549.1.12.1.5': { keySize: 16, cipher: (key) => rc2(key, 128) },
  '1.2.840.113549.1.12.1.6': { keySize: 5, cipher: (key) => rc2(key, 40) },
}

export type PfxFault = 'pfx-damaged' | 'pfx-unprotected' | 'pfx-without-key'

/** The file is cut, altered or no PFX; nobody vouches for it; or it holds no private key. */
export class PfxRefused extends Refusal {
  constructor(code: PfxFault, where?: string) {
    super(code, where === undefined ? {} : { where })
    this.name = 'PfxRefused'
  }
}

/** An opened key of a PFX and the localKeyId of its bag. */
export interface BagKey {
  readonly key: PrivateKey
  readonly localKeyId: Uint8Array | null
}

/** What a PFX holds, in the order of the file: certificates (DER) of the person and perhaps of authorities. */
export interface PfxContents {
  readonly certificates: readonly Uint8Array[]
  readonly keys: readonly BagKey[]
}

/** A certificate and its own private key. */
export interface Pair {
  readonly certificate: Certificate
  readonly key: PrivateKey
}

/**
 * The signing pair of a PFX; every other key in it is wiped. Throws what `openPfxContents` throws, and KeyMismatch
 * where no certificate belongs to a key.
 */
export async function openPfx(data: Uint8Array, password: Uint8Array): Promise<Pair> {
  const contents = await openPfxContents(data, password)
  const [first] = pairsOf(contents)
  for (const { key } of contents.keys) {
    if (key !== first?.key) key.wipe()
  }
  if (first === undefined) throw new KeyMismatch()
  return first
}

/** Every key with its certificate, found by the public key; pairs for signing come first. */
export function pairsOf({ certificates, keys }: PfxContents): Pair[] {
  const parsed = certificates.map(certificateOrNull).filter((certificate) => certificate !== null)
  const pairs = keys.flatMap(({ key }) => {
    return parsed.filter((each) => matches(each, key)).map((certificate) => ({ certificate, key }))
  })
  return [...pairs.filter(signs), ...pairs.filter((pair) => !signs(pair))]
}

function certificateOrNull(bytes: Uint8Array): Certificate | null {
  try {
    return new Certificate(bytes)
  } catch {
    return null
  }
}

function matches(certificate: Certificate, key: PrivateKey): boolean {
  try {
    return key.matches(certificate.publicKey)
  } catch {
    return false
  }
}

function signs({ certificate }: Pair): boolean {
  try {
    return certificate.keyUsage?.has('digitalSignature') ?? true
  } catch {
    return false
  }
}

/** Whether the bytes begin as a PFX does, with version 3; a key file or a certificate does not. */
export function looksLikePfx(data: Uint8Array): boolean {
  const version = [0, 1, 2, 3, 4].some((skip) => data[2 + skip] === 2 && data[3 + skip] === 1 && data[4 + skip] === 3)
  return data[0] === 0x30 && version
}

/**
 * Opens a PFX whole. `password`: UTF-8; the caller wipes it and the keys.
 *
 * Throws KeyTooLarge, TooManyIterations, PfxRefused, WrongPassword, UnknownKeyVariant, DamagedKey, UnsuitableKey.
 */
export async function openPfxContents(data: Uint8Array, password: Uint8Array): Promise<PfxContents> {
  if (data.length > SIZE_MOST) throw new KeyTooLarge(data.length)
  const opening = new Opening(password)
  try {
    return await opening.open(data)
  } catch (failure) {
    opening.wipeKeys()
    throw failure instanceof NotDer ? new PfxRefused('pfx-damaged', 'structure') : failure
  } finally {
    opening.wipePassword()
  }
}

/** One opening of one file: the password in its two encodings, the work that is left, and what was found. */
class Opening {
  readonly #password: Uint8Array
  readonly #wide: Uint8Array
  #left = WORK_MOST
  #parts = 0
  #certificates: Uint8Array[] = []
  #keys: BagKey[] = []

  constructor(password: Uint8Array) {
    this.#password = password
    this.#wide = pkcs12Password(password)
  }

  async open(data: Uint8Array): Promise<PfxContents> {
    const [version, content, mac, ...more] = wholeOfBer(data).atLeast(2)
    if (version.integer() !== 3n || more.length > 0) throw new NotDer('version 3', 'another')
    if (mac === undefined) throw new PfxRefused('pfx-unprotected')
    const safe = dataOf(content)
    if (!this.#vouched(mac, safe)) throw await this.#whyNot(safe)
    return this.#contents(safe)
  }

  wipeKeys(): void {
    for (const { key } of this.#keys) key.wipe()
  }

  wipePassword(): void {
    wipe(this.#wide)
  }

  /** MacData (RFC 7292 §4): the HMAC over the content octets of authSafe. */
  #vouched(macData: Element, safe: Uint8Array): boolean {
    const [digest, salt, rounds] = macData.atLeast(2)
    const [identifier, octetString] = digest.exactly(2)
    const dotted = identifier.atLeast(1)[0].oid()
    const hash = HASH_OIDS[dotted]
    if (hash === undefined) throw new UnknownKeyVariant(dotted)
    const count = rounds === undefined ? 1 : this.#spend(rounds)
    const found = macOf(hash, this.#wide, readSalt(salt), count, safe)
    return same(found, octetString.expect(OCTET_STRING).content)
  }

  /** A wrong password, or a file altered under the right one: then its key still opens. */
  async #whyNot(safe: Uint8Array): Promise<Refusal> {
    try {
      await this.#contents(safe)
    } catch (failure) {
      if (isOfWrongPassword(failure)) return new WrongPassword()
      if (!isOfDamage(failure)) throw failure
    }
    return new PfxRefused('pfx-damaged', 'mac')
  }

  async #contents(safe: Uint8Array): Promise<PfxContents> {
    for (const info of this.#counted(wholeOfBer(safe).sequence())) {
      const inside = wholeOfBer(await this.#safeContents(info))
      for (const bag of this.#counted(inside.sequence())) await this.#take(bag)
    }
    if (this.#keys.length === 0) throw new PfxRefused('pfx-without-key')
    return { certificates: this.#certificates, keys: this.#keys }
  }

  #counted(parts: Element[]): Element[] {
    this.#parts += parts.length
    if (this.#parts > PARTS_MOST) throw new PfxRefused('pfx-damaged', 'too-many-parts')
    return parts
  }

  /** The SafeContents of a ContentInfo: plain data, or encrypted under the password. */
  async #safeContents(info: Element): Promise<Uint8Array> {
    const [kind, content] = info.exactly(2)
    const dotted = kind.oid()
    if (dotted === DATA) return dataOf(info)
    if (dotted !== ENCRYPTED_DATA) throw new UnknownKeyVariant(dotted)
    const [, encrypted] = content.explicit(0).atLeast(2)
    const [inner, identifier, sealed] = encrypted.exactly(3)
    if (inner.oid() !== DATA) throw new NotDer('data', 'another')
    return this.#decrypt(identifier, implicitOctets(sealed))
  }

  /** A SafeBag; kinds that say nothing to us (CRLs, secrets) are passed over. */
  async #take(bag: Element): Promise<void> {
    const [kind, value, attributes] = bag.atLeast(2)
    const inside = value.explicit(0)
    const dotted = kind.oid()
    if (dotted === CERT_BAG) {
      const [form, certificate] = inside.exactly(2)
      if (form.oid() === X509) this.#certificates.push(certificate.explicit(0).expect(OCTET_STRING).content)
    } else if (dotted === KEY_BAG) {
      this.#keep(copy(inside.raw), attributes)
    } else if (dotted === SHROUDED_BAG) {
      const [identifier, sealed] = inside.exactly(2)
      this.#keep(await this.#decrypt(identifier, sealed.expect(OCTET_STRING).content), attributes)
    }
  }

  #keep(pkcs8: Uint8Array, attributes: Element | undefined): void {
    try {
      this.#keys.push({ key: new PrivateKey(pkcs8), localKeyId: readLocalKeyId(attributes) })
    } catch (failure) {
      wipe(pkcs8)
      throw failure
    }
  }

  /** What an AlgorithmIdentifier of RFC 7292 appendix C or of a key file seals. Throws WrongPassword, DamagedKey. */
  async #decrypt(identifier: Element, sealed: Uint8Array): Promise<Uint8Array> {
    const [kind, parameters] = identifier.exactly(2)
    const scheme = SCHEMES[kind.oid()]
    if (scheme === undefined) return this.#decryptAsKeyFile(identifier, sealed)
    const [salt, rounds] = parameters.exactly(2)
    if (sealed.length === 0 || sealed.length % BLOCK !== 0) throw new PfxRefused('pfx-damaged', 'ciphertext')
    const { key, iv } = keyAndIv(this.#wide, readSalt(salt), this.#spend(rounds), scheme.keySize)
    const padded = decryptBlocks(scheme.cipher(key), iv, sealed)
    wipe(key)
    return unwrapped(padded, BLOCK)
  }

  /** PBES2 and the SEED forms: the same as in a key file. */
  async #decryptAsKeyFile(identifier: Element, sealed: Uint8Array): Promise<Uint8Array> {
    const encryption = readOrDamaged(identifier)
    if (sealed.length === 0 || sealed.length % 16 !== 0) throw new DamagedKey('ciphertext')
    this.#charge(encryption.iterations)
    return unwrapped(await decrypt(encryption, this.#password, sealed), 16)
  }

  /** An iteration count, bounded by itself and by the work of the whole file. */
  #spend(rounds: Element): number {
    const count = boundedIterations(rounds)
    this.#charge(count)
    return count
  }

  #charge(count: number): void {
    this.#left -= count
    if (this.#left < 0) throw new TooManyIterations(WORK_MOST)
  }
}

function isOfDamage(failure: unknown): boolean {
  return failure instanceof DamagedKey || (failure instanceof PfxRefused && failure.code === 'pfx-damaged')
}

function isOfWrongPassword(failure: unknown): boolean {
  if (failure instanceof PfxRefused) return failure.code === 'pfx-without-key'
  return [NotDer, WrongPassword, UnknownKeyVariant].some((kind) => failure instanceof kind)
}

function readOrDamaged(identifier: Element): ReturnType<typeof readEncryption> {
  try {
    return readEncryption(identifier)
  } catch (failure) {
    throw failure instanceof NotDer ? new DamagedKey('structure') : failure
  }
}

/** The octets of a ContentInfo of type data. */
function dataOf(info: Element): Uint8Array {
  const [kind, content] = info.exactly(2)
  // A signature may stand in place of a password (public-key integrity mode): nobody here could verify it.
  if (kind.oid() !== DATA) throw new PfxRefused('pfx-unprotected')
  return content.explicit(0).expect(OCTET_STRING).content
}

/** `[0] IMPLICIT OCTET STRING`, whole or in pieces. */
function implicitOctets(sealed: Element): Uint8Array {
  if (sealed.tag !== 0xa0) return sealed.expect(0x80).content
  return join(...sealed.children().map((piece) => piece.expect(OCTET_STRING).content))
}

function readSalt(salt: Element): Uint8Array {
  const { content } = salt.expect(OCTET_STRING)
  if (content.length > SALT_MOST) throw new NotDer('a salt', content.length)
  return content
}

function readLocalKeyId(attributes: Element | undefined): Uint8Array | null {
  for (const attribute of attributes?.children() ?? []) {
    const [kind, values] = attribute.exactly(2)
    if (kind.oid() === LOCAL_KEY_ID) return values.exactly(1, SET)[0].expect(OCTET_STRING).content
  }
  return null
}

function macOf(hash: HashName, wide: Uint8Array, salt: Uint8Array, rounds: number, safe: Uint8Array): Uint8Array {
  const key = pkcs12Kdf(hash, PURPOSE_MAC, wide, salt, rounds, HASHES[hash].outputLen)
  const mac = hmac(HASHES[hash], key, safe)
  wipe(key)
  return mac
}

interface KeyAndIv {
  readonly key: Uint8Array
  readonly iv: Uint8Array
}

/** Key and IV of a PKCS#12 scheme. */
function keyAndIv(wide: Uint8Array, salt: Uint8Array, rounds: number, keySize: number): KeyAndIv {
  return {
    key: pkcs12Kdf('sha1', PURPOSE_KEY, wide, salt, rounds, keySize),
    iv: pkcs12Kdf('sha1', PURPOSE_IV, wide, salt, rounds, BLOCK),
  }
}

/** A certificate (DER) and the plain PKCS#8 bytes of its key. */
export interface PlainPair {
  readonly certificate: Uint8Array
  readonly pkcs8: Uint8Array
}

/** How to write a PFX. `others`: further certificates. `random(n)` gives n bytes. */
export interface PfxWriting {
  readonly others?: readonly Uint8Array[]
  readonly forBackup?: boolean
  readonly random?: Randomness
}

interface Strength {
  readonly hash: HashName
  readonly oid: string
  readonly rounds: number
}
const INTEROPERABLE: Strength = { hash: 'sha1', oid: SHA1, rounds: 2048 }
const BACKUP: Strength = { hash: 'sha256', oid: SHA256, rounds: BACKUP_ITERATIONS }

/**
 * A PFX of pairs, the signing pair first, and of further certificates.
 *
 * The default has the shape that Korean tools write and read: certificates in clear, keys under 3DES with SHA-1 and
 * 2048 rounds, HMAC-SHA1 (npki.md §4.1). `forBackup`: keys under PBES2 AES-256 and the MAC under SHA-256, with 600,000
 * rounds each, because the weaker of the two is where a password would be searched (security B16).
 */
export async function writePfx(
  pairs: readonly PlainPair[],
  password: Uint8Array,
  { others = [], forBackup = false, random = randomBytes }: PfxWriting = {},
): Promise<Uint8Array> {
  const bags: Uint8Array[] = []
  for (const { certificate, pkcs8 } of pairs) {
    const identifier = identifierOf(certificate)
    const shrouded = forBackup
      ? await sealKey(pkcs8, password, { variant: 'pbes2-aes-256', iterations: BACKUP_ITERATIONS, random })
      : shroud(pkcs8, password, random)
    bags.push(certBag(certificate, identifier), bagOf(SHROUDED_BAG, shrouded, identifier))
  }
  const safe = seq(contentOf(seq(...bags, ...others.map((each) => certBag(each, null)))))
  return seq(integer(3), contentOf(safe), macData(safe, password, forBackup ? BACKUP : INTEROPERABLE, random(8)))
}

function macData(safe: Uint8Array, password: Uint8Array, strength: Strength, salt: Uint8Array): Uint8Array {
  const wide = pkcs12Password(password)
  const mac = macOf(strength.hash, wide, salt, strength.rounds, safe)
  wipe(wide)
  return seq(seq(algorithm(strength.oid), octets(mac)), octets(salt), integer(strength.rounds))
}

/** localKeyId as Korean tools choose it: the subject key identifier; else the SHA-1 of the certificate. */
function identifierOf(certificate: Uint8Array): Uint8Array {
  return new Certificate(certificate).subjectKeyId ?? sha1(certificate)
}

function contentOf(content: Uint8Array): Uint8Array {
  return seq(oid(DATA), explicit(0, octets(content)))
}

function certBag(certificate: Uint8Array, identifier: Uint8Array | null): Uint8Array {
  return bagOf(CERT_BAG, seq(oid(X509), explicit(0, octets(certificate))), identifier)
}

function bagOf(kind: string, value: Uint8Array, identifier: Uint8Array | null): Uint8Array {
  if (identifier === null) return seq(oid(kind), explicit(0, value))
  return seq(oid(kind), explicit(0, value), setOf([seq(oid(LOCAL_KEY_ID), setOf([octets(identifier)]))]))
}

/** EncryptedPrivateKeyInfo under 3DES for the bag. */
function shroud(pkcs8: Uint8Array, password: Uint8Array, random: Randomness): Uint8Array {
  const wide = pkcs12Password(password)
  const salt = random(8)
  const { key, iv } = keyAndIv(wide, salt, INTEROPERABLE.rounds, 24)
  const encrypted = encryptCbc(tripleDes(key), iv, pkcs8)
  wipe(wide, key)
  return seq(algorithm(TRIPLE_DES, seq(octets(salt), integer(INTEROPERABLE.rounds))), octets(encrypted))
}
