/**
 * Not a test: what TypeScript makes of inputs that Python hands in. tests/npki/test_typescript_twin.py runs it, opens
 * everything with Python, and compares answer for answer.
 *
 * Reads one JSON object from standard input (bytes in hex) and prints one.
 */

import { readFileSync } from 'node:fs'
import { type Challenge, challengeText } from '../../src/pure/challenge.ts'
import { Refusal } from '../../src/pure/failure.ts'
import { fromHex, toHex } from '../../src/pure/octets.ts'
import { sealRandom } from '../../src/pure/seal.ts'
import { brokenRules } from '../../src/pure/npki/cert_password.ts'
import { Certificate } from '../../src/pure/npki/certificate.ts'
import { sign } from '../../src/pure/npki/cms.ts'
import { parseSigned, verifySigned } from '../../src/pure/npki/cms_verify.ts'
import { type Element, whole } from '../../src/pure/npki/der.ts'
import { changePassword, describe, openKey, sealKey } from '../../src/pure/npki/key_file.ts'
import { type Prf, type Variant } from '../../src/pure/npki/pbes.ts'
import { openPfxContents, writePfx } from '../../src/pure/npki/pfx.ts'
import { accepts, type CustomerKind, issuerName, lookupPolicy } from '../../src/pure/npki/policies.ts'
import { PrivateKey } from '../../src/pure/npki/private_key.ts'
import { displayName, folderName, fold, nameText, parseName } from '../../src/pure/npki/subject.ts'
import { computeVid } from '../../src/pure/npki/vid.ts'
import { counted, text } from './vectors.ts'

interface Locked {
  file: string
  password: string
}
interface Inputs {
  pkcs8: string
  certificate: string
  password: string
  next: string
  variants: { variant: Variant; prf: Prf | null; iterations: number }[]
  change: Locked[]
  keys: Locked[]
  pfxs: Locked[]
  challenge: Challenge
  sealKey: string
  random: string
  signings: { purpose: string; time: string }[]
  messages: string[]
  der: string[]
  certificates: string[]
  names: string[]
  folds: string[]
  policies: { issuer: string; oid: string; kind: CustomerKind }[]
  passwords: string[]
  idn: string
}

const inputs = JSON.parse(readFileSync(0, 'utf8')) as Inputs

/** The answer, or the code with which it was refused. */
async function answer<T>(doing: () => T | Promise<T>): Promise<T | { code: string }> {
  try {
    return await doing()
  } catch (failure) {
    if (failure instanceof Refusal) return { code: failure.code }
    throw failure
  }
}

type Answers<T> = Promise<(T | { code: string })[]>

async function answers<I, T>(each: readonly I[], doing: (input: I) => T | Promise<T>): Answers<T> {
  const found = []
  for (const input of each) found.push(await answer(() => doing(input)))
  return found
}

const pkcs8 = fromHex(inputs.pkcs8)
const certificate = new Certificate(fromHex(inputs.certificate))
const password = text(inputs.password)

async function keyOf({ file, password: its }: Locked): Promise<unknown> {
  const key = await openKey(fromHex(file), text(its))
  const { variant, prf, iterations } = describe(fromHex(file))
  return { pkcs8: toHex(key.pkcs8), random: key.random === null ? null : toHex(key.random), variant, prf, iterations }
}

async function pfxOf({ file, password: its }: Locked): Promise<unknown> {
  const { certificates, keys } = await openPfxContents(fromHex(file), text(its))
  return { certificates: certificates.map(toHex), keys: keys.map(({ key }) => toHex(key.pkcs8)) }
}

/** The tree of an element as far as it is DER: constructed tags are entered. */
function tree(one: Element): unknown {
  if (one.tag === 0x02) return `${one.integer()}`
  if (one.tag === 0x06) return one.oid()
  if (one.tag === 0x03) return toHex(one.bits())
  return one.tag & 0x20 ? [one.tag, ...one.children().map(tree)] : [one.tag, toHex(one.content)]
}

/** Whether a message is the signature of the content with which it came, for `login`. */
async function messageOf(hex: string): Promise<string> {
  const parsed = parseSigned(fromHex(hex))
  return (await verifySigned(parsed, parsed.content, 'login')).certificate.fingerprintHex
}

function certificateOf(hex: string): unknown {
  const found = new Certificate(fromHex(hex))
  return {
    serial: `${found.serial}`,
    fingerprint: found.fingerprintHex,
    not_before: found.notBefore.toISOString(),
    not_after: found.notAfter.toISOString(),
    subject: nameText(found.subject),
    issuer: nameText(found.issuer),
    policies: found.policies,
    usage: found.keyUsage === null ? null : [...found.keyUsage].sort(),
    ski: found.subjectKeyId === null ? null : toHex(found.subjectKeyId),
    identify_data: found.identifyData === null ? null : toHex(found.identifyData),
    n: `${found.publicKey.n}`,
  }
}

function nameOf(hex: string): unknown {
  const name = parseName(fromHex(hex))
  return { display: displayName(name), folder: folderName(name), text: nameText(name) }
}

function policyOf({ issuer, oid, kind }: Inputs['policies'][number]): unknown {
  const name = parseName(fromHex(issuer))
  return [accepts(name, oid, kind), lookupPolicy(name, oid)?.name.ko ?? null, issuerName(name), issuerName(name, 'en')]
}

const random = fromHex(inputs.random)
const sealedRandom = await sealRandom(fromHex(inputs.sealKey), random, inputs.challenge, certificate.der)
const content = challengeText(inputs.challenge, certificate.der, sealedRandom)
const pair = { pkcs8, certificate: certificate.der }

process.stdout.write(
  JSON.stringify({
    sealed: await answers(inputs.variants, async (how) =>
      toHex(await sealKey(pkcs8, password, { ...how, random: counted(5) })),
    ),
    changed: await answers(inputs.change, async ({ file, password: its }) =>
      toHex(await changePassword(fromHex(file), text(its), text(inputs.next), { random: counted(5) })),
    ),
    keys: await answers(inputs.keys, keyOf),
    pfx: toHex(await writePfx([pair], password, { random: counted(5) })),
    backup: toHex(await writePfx([pair], password, { random: counted(5), forBackup: true })),
    pfxs: await answers(inputs.pfxs, pfxOf),
    content: toHex(content),
    plain: toHex(challengeText(inputs.challenge, certificate.der, null)),
    sealedRandom: toHex(sealedRandom),
    signed: await answers(inputs.signings, async ({ purpose, time }) =>
      toHex(await sign(content, certificate, new PrivateKey(pkcs8.slice()), { purpose, signingTime: new Date(time) })),
    ),
    messages: await answers(inputs.messages, messageOf),
    der: await answers(inputs.der, (hex) => tree(whole(fromHex(hex)))),
    certificates: await answers(inputs.certificates, certificateOf),
    names: await answers(inputs.names, nameOf),
    folds: inputs.folds.map(fold),
    policies: await answers(inputs.policies, policyOf),
    passwords: inputs.passwords.map(brokenRules),
    vid: toHex(computeVid(inputs.idn, random)),
  }),
)
