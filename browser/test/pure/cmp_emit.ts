/**
 * Not a test: one step of an exchange with the authority, as the vault takes it. tests/protocols/cmp/
 * test_typescript_twin.py runs it against the real authority, and hands back what it printed: nothing is remembered.
 *
 * Reads one JSON object from standard input (bytes in hex) and prints one.
 */

import { readFileSync } from 'node:fs'
import {
  composeCertConf,
  composeIr,
  composePollReq,
  type Composed,
  type Exchange,
  type Protection,
  receiveIp,
  receivePkiConf,
} from '../../src/pure/cmp/exchange.ts'
import { AuthorityRefused } from '../../src/pure/cmp/refusal.ts'
import { Refusal } from '../../src/pure/failure.ts'
import { fromHex, toHex } from '../../src/pure/octets.ts'
import { Certificate } from '../../src/pure/npki/certificate.ts'
import { checkEncryption, checkIssued } from '../../src/pure/npki/chain.ts'
import type { Padding } from '../../src/pure/npki/encrypted_vid.ts'
import { makeKey, spkiHash, withRandom } from '../../src/pure/npki/new_key.ts'
import { PrivateKey } from '../../src/pure/npki/private_key.ts'

interface Making {
  step: 'make'
  keys: ({ pkcs8: string; random: string } | null)[]
}
interface Asking {
  step: 'ask'
  cases: { reference: string; code: string; key: string; padding: Padding; protection: Exclude<Protection, 'signature'>; at: string }[]
}
interface Receiving {
  step: 'receive' | 'confirm'
  cases: { exchange: Exchange; code: string; answers: string[] }[]
}
interface Checking {
  step: 'check'
  cases: { certificate: string; key: string; idn: string; policies: string[] }[]
}
interface Following {
  step: 'accept' | 'reject' | 'poll'
  cases: { exchange: Exchange; code: string; certificate: string }[]
}
interface Everywhere {
  anchors: string[]
  encryption: string
  at: string
}
type Inputs = (Making | Asking | Receiving | Checking | Following) & Everywhere

const inputs = JSON.parse(readFileSync(0, 'utf8')) as Inputs
const anchors = inputs.anchors.map((each) => new Certificate(fromHex(each)))
const at = new Date(inputs.at)

/** The answer, or the code with which it was refused and, of a proven refusal, what the authority said. */
async function answer<T>(doing: () => Promise<T>): Promise<unknown> {
  try {
    return await doing()
  } catch (failure) {
    if (failure instanceof AuthorityRefused) {
      return { said: failure.code, failInfo: failure.failInfo, texts: failure.texts }
    }
    if (failure instanceof Refusal) return { code: failure.code }
    throw failure
  }
}

async function each<I, T>(cases: readonly I[], doing: (input: I) => Promise<T>): Promise<unknown[]> {
  const found = []
  for (const one of cases) found.push(await answer(() => doing(one)))
  return found
}

const shown = ({ bytes, exchange }: Composed): unknown => ({ bytes: toHex(bytes), exchange })

async function make(given: { pkcs8: string; random: string } | null): Promise<unknown> {
  const key =
    given === null ? await makeKey() : new PrivateKey(withRandom(fromHex(given.pkcs8), fromHex(given.random)))
  return { key: toHex(key.pkcs8), spki: spkiHash(key) }
}

async function ask(given: Asking['cases'][number]): Promise<unknown> {
  const key = new PrivateKey(fromHex(given.key))
  const encryption = await checkEncryption(fromHex(inputs.encryption), anchors, at)
  return shown(await composeIr({ ...given, key, encryption, at: new Date(given.at) }))
}

async function receive({ exchange, code, answers }: Receiving['cases'][number]): Promise<unknown> {
  return each(answers, async (bytes) => {
    if (inputs.step === 'confirm') {
      await receivePkiConf(exchange, fromHex(bytes), { code, anchors, at })
      return { kind: 'confirmed' }
    }
    const found = await receiveIp(exchange, fromHex(bytes), { code, anchors, at })
    return found.kind === 'offered' ? { ...found, certificate: toHex(found.certificate) } : found
  })
}

async function check({ certificate, key, idn, policies }: Checking['cases'][number]): Promise<unknown> {
  const expected = { anchors, at, policies, idn, key: new PrivateKey(fromHex(key)) }
  return { fingerprint: (await checkIssued(fromHex(certificate), expected)).fingerprintHex }
}

async function follow({ exchange, code, certificate }: Following['cases'][number]): Promise<unknown> {
  if (inputs.step === 'poll') return shown(await composePollReq(exchange, { code, at }))
  const verdict = inputs.step === 'accept' ? 'accept' : 'reject'
  return shown(await composeCertConf(exchange, fromHex(certificate), { code, at }, verdict))
}

async function run(): Promise<unknown[]> {
  if (inputs.step === 'make') return each(inputs.keys, make)
  if (inputs.step === 'ask') return each(inputs.cases, ask)
  if (inputs.step === 'receive' || inputs.step === 'confirm') return each(inputs.cases, receive)
  if (inputs.step === 'check') return each(inputs.cases, check)
  return each((inputs as Following).cases, follow)
}

process.stdout.write(JSON.stringify(await run()))
