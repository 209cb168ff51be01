/**
 * Not a test: one step of a renewal, as the vault takes it. tests/protocols/cmp/test_typescript_kur.py runs it against
 * the real authority, and hands back what it printed: nothing is remembered.
 *
 * Reads one JSON object from standard input (bytes in hex) and prints one.
 */

import { readFileSync } from 'node:fs'
import {
  composeCertConf,
  composeKur,
  composePollReq,
  type Composed,
  type Exchange,
  receiveIp,
  receivePkiConf,
} from '../../src/pure/cmp/exchange.ts'
import { AuthorityRefused } from '../../src/pure/cmp/refusal.ts'
import { Refusal } from '../../src/pure/failure.ts'
import { fromHex, toHex } from '../../src/pure/octets.ts'
import { Certificate } from '../../src/pure/npki/certificate.ts'
import { checkEncryption } from '../../src/pure/npki/chain.ts'
import { PrivateKey } from '../../src/pure/npki/private_key.ts'

interface Inputs {
  step: 'ask' | 'receive' | 'confirm' | 'accept' | 'reject' | 'poll'
  anchors: string[]
  encryption: string
  at: string
  old: { certificate: string; key: string }
  key: string
  exchange: Exchange
  certificate: string
  answers: string[]
}

const inputs = JSON.parse(readFileSync(0, 'utf8')) as Inputs
const anchors = inputs.anchors.map((each) => new Certificate(fromHex(each)))
const at = new Date(inputs.at)
const signer = {
  certificate: new Certificate(fromHex(inputs.old.certificate)),
  key: new PrivateKey(fromHex(inputs.old.key)),
}
const shown = ({ bytes, exchange }: Composed): unknown => ({ bytes: toHex(bytes), exchange })

async function told<T>(doing: () => Promise<T>): Promise<unknown> {
  try {
    return await doing()
  } catch (failure) {
    if (failure instanceof AuthorityRefused) return { said: failure.code, failInfo: failure.failInfo }
    if (failure instanceof Refusal) return { code: failure.code }
    throw failure
  }
}

async function answer(bytes: string): Promise<unknown> {
  const listening = { code: null, anchors, at }
  if (inputs.step === 'confirm') {
    await receivePkiConf(inputs.exchange, fromHex(bytes), listening)
    return { kind: 'confirmed' }
  }
  const found = await receiveIp(inputs.exchange, fromHex(bytes), listening)
  return found.kind === 'offered' ? { ...found, certificate: toHex(found.certificate) } : found
}

async function run(): Promise<unknown> {
  const { step, exchange } = inputs
  if (step === 'ask') {
    const encryption = await checkEncryption(fromHex(inputs.encryption), anchors, at)
    const key = new PrivateKey(fromHex(inputs.key))
    return shown(await composeKur({ signer, key, encryption, padding: 'oaep', at }))
  }
  if (step === 'poll') return shown(await composePollReq(exchange, { signer, at }))
  if (step === 'accept' || step === 'reject') {
    return shown(await composeCertConf(exchange, fromHex(inputs.certificate), { signer, at }, step))
  }
  return Promise.all(inputs.answers.map((each) => told(() => answer(each))))
}

process.stdout.write(JSON.stringify(await told(run)))
