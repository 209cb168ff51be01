/** `vectors/issuing/exchange.json`: one certificate that the demo authority issued to the vault, and what goes wrong. */

import { type Exchange, type Listening } from '../../src/pure/cmp/exchange.ts'
import { fromHex } from '../../src/pure/octets.ts'
import { Certificate } from '../../src/pure/npki/certificate.ts'
import type { Expected } from '../../src/pure/npki/chain.ts'
import { PrivateKey } from '../../src/pure/npki/private_key.ts'
import { json } from './vectors.ts'

interface Sent {
  bytes: string
  exchange: Exchange
}
interface File {
  at: string
  idn: string
  code: string
  key: string
  spki: string
  policy: string
  root: string
  issuing: string
  speaker: string
  encryption: string
  encryption_key: string
  ir: Sent
  ip: string
  certificate: string
  certConf: Sent
  pkiConf: string
  refused: { said: string; exchange: Exchange; code: string; answer: string }[]
  wrong: { name: string; fault: string; der: string }[]
}

export const file = json<File>('issuing/exchange.json')
export const at = new Date(file.at)
export const root = new Certificate(fromHex(file.root))
export const issuing = new Certificate(fromHex(file.issuing))
export const anchors = [root, issuing]
export const issued = fromHex(file.certificate)
export const listening: Listening = { code: file.code, anchors, at }

/** The vault's own key, opened anew. */
export function ownKey(): PrivateKey {
  return new PrivateKey(fromHex(file.key))
}

/** What the certificate of the file has to be. */
export function expected(): Expected {
  return { anchors, at, policies: [file.policy], key: ownKey(), idn: file.idn }
}
