/**
 * What the worker does for the certificate desk: a password tried or changed, a certificate taken out or in (B11, B16).
 *
 * The PKCS#8 bytes of a key are never written anew: R and every other attribute go through every step as they are, and
 * what was made is opened again and compared before it leaves here. Opened bytes are overwritten whatever happens.
 */

import { Refusal } from '../pure/failure.ts'
import { checkNewPassword } from '../pure/npki/cert_password.ts'
import { Certificate } from '../pure/npki/certificate.ts'
import { BACKUP_ITERATIONS, changePassword, openKey, sealKey } from '../pure/npki/key_file.ts'
import { openPfxContents, pairsOf, type Pair, type PfxContents, writePfx } from '../pure/npki/pfx.ts'
import type { Sealing } from '../pure/npki/pbes.ts'
import { PrivateKey } from '../pure/npki/private_key.ts'
import { same, wipe } from '../pure/octets.ts'
import { fromUtf8 } from '../pure/platform.ts'
import type { MadeFile, ManageDone, ManageStep, Wish } from './manage_work.ts'
import { keyFileOf, open } from './operation.ts'
import { keep, type KeptRecord, openByPasskey, openByPin, openRecord, withPasskey, withPassword, withPin } from './record.ts'
import type { KeySource } from './work.ts'

/** What the worker knows when it fails. */
export interface Progress {
  opened: boolean
  certificate: Uint8Array | null
}

/** What was made does not open to the same bytes: code `made-differs`. Nothing was given out. */
export class MadeDiffers extends Refusal {
  constructor() {
    super('made-differs')
    this.name = 'MadeDiffers'
  }
}

/** Everything that a source holds: the pair for signing, further pairs, and certificates that belong to none of them. */
interface Whole {
  readonly pairs: readonly Pair[]
  readonly others: readonly Uint8Array[]
  readonly keyFile: Uint8Array | null
  readonly raise: KeptRecord | null
}

type StepOf<K extends ManageStep['manage']> = Extract<ManageStep, { manage: K }>

/** How a key file leaves: widely readable, or for keeping (B16). */
const FORMS: Readonly<Record<'common' | 'strong', Sealing>> = {
  common: { variant: 'pbes2-seed', iterations: 2048, prf: 'hmac-sha1' },
  strong: { variant: 'pbes2-aes-256', iterations: BACKUP_ITERATIONS, prf: 'hmac-sha256' },
}

/** One task's worker side. `end()` overwrites what it holds. `rounds`: of the password slots, for tests. */
export class Managing {
  readonly #rounds: number | undefined
  /** Between `change` and `confirm`: the new password, and the key as it was. */
  #fresh: Uint8Array = new Uint8Array(0)
  #was: PrivateKey | null = null

  constructor(rounds?: number) {
    this.#rounds = rounds
  }

  end(): void {
    wipe(this.#fresh)
    this.#was?.wipe()
    this.#was = null
  }

  /** Does a step. Throws a Refusal; `told` says how far it came. */
  async perform(step: ManageStep, told: Progress): Promise<ManageDone> {
    switch (step.manage) {
      case 'try':
        return using(step, told, (whole) => Promise.resolve(tried(whole)))
      case 'change':
        return this.#change(step, told)
      case 'confirm':
        return this.#confirm(step.record)
      case 'export':
        return using(step, told, (whole) => exported(whole, step.password, step.wish))
      case 'import':
        return using(step, told, (whole) => this.#import(whole, step))
      case 'passkey':
        return using(step, told, (whole) => this.#passkey(whole, step))
      case 'pin':
        return using(step, told, (whole) => this.#pin(whole, step))
    }
  }

  async #change({ source, password, fresh }: StepOf<'change'>, told: Progress): Promise<ManageDone> {
    this.end()
    this.#fresh = fresh
    // Again here, where the key is sealed: a screen that lost what was typed must never seal it under nothing.
    wipe(checkNewPassword(fromUtf8(fresh)))
    return using({ source, password }, told, async (whole) => {
      const { certificate, key } = whole.pairs[0]!
      if (source.kind !== 'record') {
        return { kind: 'files', certificate: certificate.der, files: await changedFiles(source, whole, password, fresh), raise: null }
      }
      const record = await withPassword(source.record, password, fresh, this.#rounds)
      this.#was = copyOf(key)
      return { kind: 'changed', record }
    })
  }

  /** What was read back opens by the new password to the very same bytes. */
  async #confirm(record: KeptRecord): Promise<ManageDone> {
    const was = this.#was
    if (was === null) throw new Refusal('defect')
    try {
      await sameInside(record, this.#fresh, was)
      return { kind: 'confirmed' }
    } finally {
      this.end()
    }
  }

  async #import(whole: Whole, { password }: StepOf<'import'>): Promise<ManageDone> {
    const [{ certificate, key }, ...more] = whole.pairs as [Pair, ...Pair[]]
    const keyFile = await keyFileOf({ certificate, key, keyFile: whole.keyFile, raise: null }, password)
    const record = await keep(certificate.der, keyFile, password, this.#rounds)
    await sameInside(record, password, key)
    return { kind: 'record', record, more: more.length > 0 }
  }

  async #passkey(whole: Whole, { source, password, passkey }: StepOf<'passkey'>): Promise<ManageDone> {
    const { pkcs8 } = whole.pairs[0]!.key
    const record = await withPasskey(kept(source), password, pkcs8, passkey)
    return slotted(record, (await openByPasskey(record, passkey.prf)).pkcs8, pkcs8)
  }

  async #pin(whole: Whole, { source, password, pin }: StepOf<'pin'>): Promise<ManageDone> {
    const { pkcs8 } = whole.pairs[0]!.key
    const record = await withPin(kept(source), password, pkcs8, pin, this.#rounds)
    return slotted(record, (await openByPin(record, pin.output, new Uint8Array(0))).pkcs8, pkcs8)
  }
}

/** Slots are of records alone. */
function kept(source: KeySource): KeptRecord {
  if (source.kind !== 'record') throw new Refusal('defect')
  return source.record
}

/** A record leaves with its new slot only after that opened to the same key. */
function slotted(record: KeptRecord, back: Uint8Array, pkcs8: Uint8Array): ManageDone {
  const alike = same(back, pkcs8)
  wipe(back)
  if (!alike) throw new MadeDiffers()
  return { kind: 'slotted', record }
}

/** Opens everything, has it used, and overwrites it. */
async function using<T>(
  { source, password }: { readonly source: KeySource; readonly password: Uint8Array },
  told: Progress,
  use: (whole: Whole) => Promise<T>,
): Promise<T> {
  const whole = await opened(source, password)
  told.opened = true
  try {
    const { certificate, key } = whole.pairs[0]!
    told.certificate = certificate.der
    key.requireMatch(certificate.publicKey)
    return await use(whole)
  } finally {
    for (const { key } of whole.pairs) key.wipe()
  }
}

async function opened(source: KeySource, password: Uint8Array): Promise<Whole> {
  if (source.kind !== 'pfx') {
    const { key, certificate, keyFile, raise } = await open({ source, password })
    return { pairs: [{ certificate, key }], others: [], keyFile, raise }
  }
  const contents = await openPfxContents(source.pfx, password)
  const pairs = pairsOf(contents)
  const held = pairs.map(({ key }) => key)
  for (const { key } of contents.keys) if (!held.includes(key)) key.wipe()
  if (pairs.length === 0) throw new Refusal('key-mismatch')
  return { pairs, others: othersOf(contents, pairs), keyFile: null, raise: null }
}

function othersOf({ certificates }: PfxContents, pairs: readonly Pair[]): readonly Uint8Array[] {
  return certificates.filter((each) => !pairs.some(({ certificate }) => same(certificate.der, each)))
}

function tried({ pairs, raise }: Whole): ManageDone {
  const { certificate, key } = pairs[0]!
  return { kind: 'tried', certificate: certificate.der, random: key.hasRandom, raise }
}

async function exported(whole: Whole, password: Uint8Array, { shape, strong }: Wish): Promise<ManageDone> {
  const certificate = whole.pairs[0]!.certificate.der
  const files = shape === 'pfx' ? [await pfxOf(whole, password, strong)] : await filesOf(whole, password, strong)
  return { kind: 'files', certificate, files, raise: whole.raise }
}

/** The .pfx, opened again: every certificate is in it, and every key byte for byte. */
async function pfxOf({ pairs, others }: Whole, password: Uint8Array, forBackup: boolean): Promise<MadeFile> {
  const plain = pairs.map(({ certificate, key }) => ({ certificate: certificate.der, pkcs8: key.pkcs8 }))
  const bytes = await writePfx(plain, password, { others, forBackup })
  const back = await openPfxContents(bytes, password)
  try {
    const keys = back.keys.length === pairs.length && pairs.every(({ key }, at) => same(back.keys[at]!.key.pkcs8, key.pkcs8))
    const wanted = [...plain.map(({ certificate }) => certificate), ...others]
    const certificates = wanted.every((each) => back.certificates.some((one) => same(one, each)))
    if (!keys || !certificates) throw new MadeDiffers()
  } finally {
    for (const { key } of back.keys) key.wipe()
  }
  return { name: 'pfx', bytes }
}

/** signCert.der and signPri.key, and kmCert.der and kmPri.key of a second pair, each key file opened again. */
async function filesOf({ pairs }: Whole, password: Uint8Array, strong: boolean): Promise<readonly MadeFile[]> {
  const names = [['signCert.der', 'signPri.key'], ['kmCert.der', 'kmPri.key']] as const
  const files: MadeFile[] = []
  for (const [at, { certificate, key }] of pairs.slice(0, names.length).entries()) {
    const bytes = await sealKey(key.pkcs8, password, FORMS[strong ? 'strong' : 'common'])
    await sameKeyIn(bytes, password, key)
    files.push({ name: names[at]![0], bytes: certificate.der }, { name: names[at]![1], bytes })
  }
  return files
}

/** A file cannot be changed where it lies: the same under the new password, to be saved in its place. */
async function changedFiles(
  source: Exclude<KeySource, { kind: 'record' }>,
  whole: Whole,
  password: Uint8Array,
  fresh: Uint8Array,
): Promise<readonly MadeFile[]> {
  if (source.kind === 'pfx') return [await pfxOf(whole, fresh, false)]
  const bytes = await changePassword(source.keyFile, password, fresh)
  await sameKeyIn(bytes, fresh, whole.pairs[0]!.key)
  return [{ name: 'signCert.der', bytes: source.certificate }, { name: 'signPri.key', bytes }]
}

async function sameInside(record: KeptRecord, password: Uint8Array, key: PrivateKey): Promise<void> {
  const { keyFile } = await openRecord(record, password, 1)
  await sameKeyIn(keyFile, password, key)
  key.requireMatch(new Certificate(record.certificate).publicKey)
}

async function sameKeyIn(keyFile: Uint8Array, password: Uint8Array, key: PrivateKey): Promise<void> {
  const back = await openKey(keyFile, password)
  const alike = same(back.pkcs8, key.pkcs8)
  back.wipe()
  if (!alike) throw new MadeDiffers()
}

/** A key of its own bytes, which stays when the other is overwritten. */
function copyOf(key: PrivateKey): PrivateKey {
  return new PrivateKey(key.pkcs8.slice())
}
