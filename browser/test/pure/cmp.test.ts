/** The vault's CMP over real exchanges: the demo authority's (`vectors/issuing`) and openssl's (`vectors/cmp`). */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  composeCertConf,
  composeIr,
  composePollReq,
  type Exchange,
  receiveIp,
  receivePkiConf,
} from '../../src/pure/cmp/exchange.ts'
import { computeMac, macParameters, passwordBasedMac, pbmac1 } from '../../src/pure/cmp/mac.ts'
import { CERT_CONF, ERROR, parseMessage, POLL_REP, writeMessage, writePart } from '../../src/pure/cmp/message.ts'
import { AuthorityRefused } from '../../src/pure/cmp/refusal.ts'
import { ascii, fromHex, indexOf, join, toHex } from '../../src/pure/octets.ts'
import { Certificate } from '../../src/pure/npki/certificate.ts'
import { algorithm, explicit, integer, octets, oid, seq, tlv, whole } from '../../src/pure/npki/der.ts'
import { PrivateKey } from '../../src/pure/npki/private_key.ts'
import { at, file, issued, issuing, listening, ownKey, root } from './issuing_vectors.ts'
import { bytes, codeOf, counted, json, text } from './vectors.ts'

const encryption = new Certificate(fromHex(file.encryption))
const ip = fromHex(file.ip)
const asking = { reference: '1234567890', code: file.code, encryption, at, padding: 'pkcs1' } as const

test('an ip is received with the stored exchange, and brings the certificate', async () => {
  const found = await receiveIp(file.ir.exchange, ip, listening)
  assert.equal(found.kind, 'offered')
  assert.deepEqual(found.kind === 'offered' && found.certificate, issued)
  const header = parseMessage(fromHex(file.certConf.bytes)).header
  assert.equal(found.exchange.theirNonce, toHex(header.recipNonce!))
})

test('a pkiConf ends it', async () => {
  await receivePkiConf(file.certConf.exchange, fromHex(file.pkiConf), listening)
})

test('an exchange is text: JSON and structured clones keep it, and the code is not in it', async () => {
  const kept = JSON.parse(JSON.stringify(file.ir.exchange)) as Exchange
  assert.deepEqual(structuredClone(kept), file.ir.exchange)
  assert.ok(!JSON.stringify(kept).includes(file.code))
  assert.equal((await receiveIp(kept, ip, listening)).kind, 'offered')
})

test('openssl cmp and the vault understand each other', async () => {
  const { code } = json<{ code: string }>('cmp/manifest.json')
  const hexOf = (name: string): Exchange => {
    const { header } = parseMessage(bytes(`cmp/${name}.der`))
    const [transactionId, senderNonce] = [toHex(header.transactionId!), toHex(header.senderNonce!)]
    return { ...file.ir.exchange, transactionId, senderNonce }
  }
  const theirs = { code, anchors: [], at }
  const found = await receiveIp(hexOf('mac-ir'), bytes('cmp/mac-ir-answer.der'), theirs)
  assert.equal(found.kind, 'offered')
  await receivePkiConf(hexOf('mac-ir-certconf'), bytes('cmp/mac-ir-pkiconf.der'), theirs)
  const signed = await codeOf(() => receiveIp(hexOf('signed-ir'), bytes('cmp/signed-ir-answer.der'), theirs))
  assert.equal(signed, 'cmp-protection-algorithm')
})

for (const { said, exchange, code, answer } of file.refused) {
  test(`a refusal is read with its code: ${said}`, async () => {
    const receiving = receiveIp(exchange, fromHex(answer), { ...listening, code })
    const failure = await receiving.catch((thrown: unknown) => thrown)
    assert.ok(failure instanceof AuthorityRefused)
    assert.equal(failure.code, said)
    assert.equal(failure.failInfo.length, 1)
    assert.match(failure.texts!.ko, /[가-힣]/)
    assert.match(failure.texts!.en, /^[\x20-\x7e]+$/)
  })
}

test('a signed error counts from the authority itself only', async () => {
  const { exchange, code, answer } = file.refused.find(({ said }) => said === 'cmp-protection-wrong')!
  const given = { ...listening, code }
  const without = (changes: object): Promise<string> =>
    codeOf(() => receiveIp(exchange, fromHex(answer), { ...given, ...changes }))
  assert.equal(await without({ anchors: [root] }), 'cmp-protection-wrong')
  assert.equal(await without({ at: new Date('2040-01-01T00:00:00Z') }), 'cmp-protection-wrong')
  // A person's certificate is of the same CA: it speaks for nobody.
  const message = fromHex(answer)
  const [head, body, protection, certificates] = whole(message).sequence()
  const own = await signedBy(ownKey(), whole(seq(head!.raw, body!.raw)).raw)
  for (const [bits, certs] of [
    [own, seq(issued)],
    [protection!.raw, seq(issued)],
    [protection!.raw, seq(issuing.der)],
    [protection!.raw, null],
  ] as const) {
    const end = certs === null ? [] : [explicit(1, certs)]
    const forged = seq(head!.raw, body!.raw, bits, ...end)
    assert.equal(await codeOf(() => receiveIp(exchange, forged, given)), 'cmp-protection-wrong')
  }
  assert.ok(certificates !== undefined)
})

async function signedBy(key: PrivateKey, part: Uint8Array): Promise<Uint8Array> {
  const signature = await crypto.subtle.sign('RSASSA-PKCS1-v1_5', (await key.signingKey()) as never, part as never)
  return explicit(0, tlv(0x03, Uint8Array.of(0), new Uint8Array(signature)))
}

test('every octet of an ip that is protected is protected', async () => {
  const { part } = parseMessage(ip)
  const end = indexOf(ip, whole(part).content.slice(-64)) + 64
  let refused = 0
  for (let place = 0; place < end; place += 3) {
    const broken = ip.slice()
    broken[place]! ^= 1 << (place % 8)
    assert.match(await codeOf(() => receiveIp(file.ir.exchange, broken, listening)), /^cmp-/)
    refused++
  }
  assert.ok(refused >= 200)
})

test('a cut message and what is no message are malformed; a large one is not read', async () => {
  for (let length = 0; length < ip.length; length += 97) {
    assert.equal(await codeOf(() => receiveIp(file.ir.exchange, ip.subarray(0, length), listening)), 'cmp-malformed')
  }
  const large = new Uint8Array(64 * 1024 + 1)
  assert.equal(await codeOf(() => receiveIp(file.ir.exchange, large, listening)), 'cmp-too-large')
})

test('another code, another exchange and an older message are not taken', async () => {
  const { exchange } = file.ir
  const found = (given: object, code = file.code): Promise<string> =>
    codeOf(() => receiveIp({ ...exchange, ...given }, ip, { ...listening, code }))
  assert.equal(await found({}, 'B'.repeat(26)), 'cmp-protection-wrong')
  assert.equal(await found({ transactionId: '00'.repeat(16) }), 'cmp-answer-transaction')
  assert.equal(await found({ senderNonce: '00'.repeat(16) }), 'cmp-answer-nonce')
  assert.equal(await codeOf(() => receivePkiConf(exchange, ip, listening)), 'cmp-answer-unexpected')
  const { exchange: later } = file.certConf
  assert.equal(await codeOf(() => receiveIp(later, fromHex(file.pkiConf), listening)), 'cmp-answer-unexpected')
})

/** An answer that this very test protects with the code. */
async function answering(kind: number, content: Uint8Array): Promise<Uint8Array> {
  const alg = pbmac1(new Uint8Array(16))
  const { transactionId, senderNonce } = file.ir.exchange
  const part = writePart(
    {
      recipient: explicit(4, seq()),
      at,
      protectionAlg: alg,
      senderKid: ascii('x'),
      transactionId: fromHex(transactionId),
      senderNonce: new Uint8Array(16),
      recipNonce: fromHex(senderNonce),
    },
    kind,
    content,
  )
  return writeMessage(part, await computeMac(macParameters(alg), ascii(file.code), part))
}

const utf8 = (said: string): Uint8Array => tlv(0x0c, text(said))
const status = (number: number, ...rest: Uint8Array[]): Uint8Array => seq(integer(number), ...rest)
const receive = async (kind: number, content: Uint8Array): Promise<unknown> =>
  receiveIp(file.ir.exchange, await answering(kind, content), listening)

test('an authority that says no code of ours has refused all the same', async () => {
  for (const [said, code, texts] of [
    [[], 'issue-refused', null],
    [['no such number'], 'issue-refused', null],
    [['a'.repeat(65)], 'issue-refused', null],
    [['ca-name-refused', '안 됩니다', 'Impossible'], 'ca-name-refused', { ko: '안 됩니다', en: 'Impossible' }],
  ] as const) {
    const free = said.length === 0 ? [] : [seq(...said.map(utf8))]
    const failure = await receive(ERROR, seq(status(2, ...free))).catch((thrown: unknown) => thrown)
    assert.ok(failure instanceof AuthorityRefused)
    assert.deepEqual([failure.code, failure.texts], [code, texts])
  }
})

test('failInfo is named bit by bit', async () => {
  const bits = tlv(0x03, fromHex('05c0000120'))
  const failure = await receive(ERROR, seq(status(2, bits))).catch((thrown: unknown) => thrown)
  assert.ok(failure instanceof AuthorityRefused)
  assert.deepEqual(failure.failInfo, ['badAlg', 'badMessageCheck', 'notAuthorized', 'duplicateCertReq'])
})

test('waiting is told in each of its three forms, and the pollReq goes on with the exchange', async () => {
  const forms: [number, Uint8Array, number][] = [
    [1, seq(seq(seq(integer(0), status(3)))), 5],
    [ERROR, seq(status(3)), 5],
    [POLL_REP, seq(seq(integer(0), integer(7))), 7],
  ]
  for (const [kind, content, seconds] of forms) {
    const found = await receiveIp(file.ir.exchange, await answering(kind, content), listening)
    assert.deepEqual([found.kind, found.kind === 'waiting' && found.seconds], ['waiting', seconds])
    const next = await composePollReq(found.exchange, { code: file.code, at })
    assert.deepEqual(parseMessage(next.bytes).header.recipNonce, new Uint8Array(16))
    assert.notEqual(next.exchange.senderNonce, found.exchange.senderNonce)
  }
})

test('an ip with anything but our one certificate is not taken', async () => {
  const pair = seq(explicit(0, issued))
  const granted = seq(integer(0), status(0), pair)
  const contents: [string, Uint8Array][] = [
    ['cmp-answer-unexpected', seq(seq(seq(integer(1), status(0), pair)))],
    ['cmp-answer-unexpected', seq(seq(granted, granted))],
    ['cmp-answer-unexpected', seq(seq(seq(integer(0), status(0))))],
    ['cmp-malformed', seq(seq())],
    ['cmp-malformed', seq(seq(granted), octets(new Uint8Array(1)))],
    ['cmp-malformed', seq(seq(seq(integer(0), status(0), seq(explicit(1, issued)))))],
    // A private key beside it: keys are made here and nowhere else.
    ['cmp-malformed', seq(seq(seq(integer(0), status(0), seq(explicit(0, issued), explicit(0, issued)))))],
    ['cmp-malformed', seq(seq(seq(integer(0), status(7), pair)))],
    ['cmp-malformed', seq(explicit(1, seq(...Array.from({ length: 17 }, () => seq()))), seq(granted))],
    ['cmp-malformed', seq(seq(seq(integer(0), status(2, seq(...Array.from({ length: 17 }, () => utf8('x')))))))],
    ['cmp-malformed', seq(seq(seq(integer(0), status(2, tlv(0x03, fromHex('0501'))))))],
    ['cmp-malformed', seq(seq(seq(integer(0), status(2, seq(tlv(0x0c, fromHex('ff')))))))],
  ]
  for (const [code, content] of contents) assert.equal(await codeOf(() => receive(1, content)), code, toHex(content))
  assert.equal(await codeOf(() => receive(1, seq(seq(granted)))), 'done')
  // grantedWithMods is a certificate, too.
  assert.equal(await codeOf(() => receive(1, seq(seq(seq(integer(0), status(1), pair))))), 'done')
})

test('D8 the cost of a MAC is bounded before anything is computed', async () => {
  const pbkdf2 = (settings: Uint8Array, mac = algorithm('1.2.840.113549.2.9')): Uint8Array =>
    algorithm('1.2.840.113549.1.5.14', seq(algorithm('1.2.840.113549.1.5.12', settings), mac))
  const salt = octets(new Uint8Array(16))
  const cases: [string, Uint8Array][] = [
    ['cmp-protection-cost', pbmac1(new Uint8Array(16), 1_000_001)],
    ['cmp-protection-cost', pbmac1(new Uint8Array(16), 0)],
    ['cmp-protection-cost', pbmac1(new Uint8Array(65))],
    ['cmp-protection-cost', pbmac1(new Uint8Array(0))],
    ['cmp-protection-cost', passwordBasedMac(new Uint8Array(16), 100_001)],
    ['cmp-protection-cost', pbkdf2(seq(salt, integer(1), integer(15)))],
    ['cmp-protection-cost', pbkdf2(seq(salt, integer(1), integer(129)))],
    ['cmp-protection-cost', pbkdf2(seq(salt, integer(1n << 200n)))],
    ['cmp-protection-algorithm', pbkdf2(seq(salt, integer(1)), algorithm('1.2.3.4'))],
    ['cmp-protection-algorithm', pbkdf2(seq(salt, integer(1), algorithm('1.2.840.113549.2.5')))],
    ['cmp-protection-algorithm', algorithm('1.2.3.4')],
    ['cmp-malformed', algorithm('1.2.840.113549.1.5.14')],
    ['cmp-malformed', pbkdf2(seq(salt, integer(1), integer(32), algorithm('1.2.840.113549.2.9'), integer(1)))],
  ]
  for (const [code, identifier] of cases) {
    assert.equal(await codeOf(() => macParameters(identifier)), code, toHex(identifier))
  }
  // Without keyLength and prf: HMAC-SHA1, and as many octets as the HMAC gives (RFC 8018 appendix A.2).
  const bare = macParameters(pbkdf2(seq(salt, integer(1))))
  assert.deepEqual([bare.hash, bare.mac, bare.size], ['SHA-1', 'SHA-256', 32])
})

test('an answer without protection is not believed, whatever it says', async () => {
  const error = await answering(ERROR, seq(status(2)))
  const [head, body] = whole(error).sequence()
  assert.equal(await codeOf(() => receiveIp(file.ir.exchange, seq(head!.raw, body!.raw), listening)), 'cmp-unprotected')
})

test('a header is strict: its fields once, in order, within their bounds, of version 2 or 3', async () => {
  const [head, body, protection] = whole(ip).sequence()
  const parts = head!.sequence().map((part) => part.raw)
  const find = (tag: number): number => parts.findIndex((part) => part[0] === tag)
  const headed = (...changed: Uint8Array[]): Promise<string> =>
    codeOf(() => receiveIp(file.ir.exchange, seq(seq(...changed), body!.raw, protection!.raw), listening))
  const replaced = (tag: number, part: Uint8Array): Promise<string> => headed(...parts.with(find(tag), part))
  assert.equal(await headed(...parts.with(0, integer(1))), 'cmp-version')
  assert.equal(await headed(...parts.with(0, integer(1n << 40n))), 'cmp-malformed')
  assert.equal(await headed(...parts.with(1, integer(1))), 'cmp-malformed')
  assert.equal(await headed(...parts.toReversed()), 'cmp-malformed')
  assert.equal(await headed(...parts, parts.at(-1)!), 'cmp-malformed')
  assert.equal(await replaced(0xa4, explicit(4, octets(new Uint8Array(129)))), 'cmp-malformed')
  assert.equal(await replaced(0xa0, explicit(0, tlv(0x18, text('2026')))), 'cmp-malformed')
  assert.equal(await replaced(0xa1, explicit(1, octets(new Uint8Array(1)))), 'cmp-malformed')
  const infos = (count: number): Uint8Array =>
    explicit(8, seq(...Array.from({ length: count }, () => seq(oid('1.2.3')))))
  assert.equal(await headed(...parts, infos(33)), 'cmp-malformed')
  assert.equal(await headed(...parts, infos(32)), 'cmp-protection-wrong')
})

test('what is composed is the same for the same random octets, and holds neither code nor R in the clear', async () => {
  const key = ownKey()
  const compose = (): ReturnType<typeof composeIr> => composeIr({ ...asking, key, random: counted(7) })
  const [one, other] = [await compose(), await compose()]
  assert.deepEqual(one, other)
  assert.deepEqual(toHex(one.transactionId), one.exchange.transactionId)
  const r = whole(key.random!).bits()
  for (const secret of [r, text(file.code), key.pkcs8.subarray(-64)]) assert.equal(indexOf(one.bytes, secret), -1)
  const fresh = await composeIr({ ...asking, key })
  assert.notEqual(fresh.exchange.transactionId, one.exchange.transactionId)
  const bare = new PrivateKey(bytes('keys/rsa2048-05.p8'))
  assert.equal(await codeOf(() => composeIr({ ...asking, key: bare })), 'vid-random')
})

test('the template names the key and nothing else, and the proof is over the CertRequest', async () => {
  const { content } = parseMessage((await composeIr({ ...asking, key: ownKey() })).bytes)
  const [request, proof, info] = content.exactly(1)[0].exactly(3)
  const [id, template] = request.exactly(2)
  assert.equal(id.integer(), 0n)
  assert.deepEqual(template.children().map((field) => field.tag), [0xa6])
  assert.equal(proof.tag, 0xa1)
  assert.equal(info.exactly(1)[0].exactly(2)[0].oid(), '1.2.410.200004.10.1.1.2')
})

test('a certConf accepts, or gives back with incorrectData', async () => {
  const found = await receiveIp(file.ir.exchange, ip, listening)
  const contentOf = async (verdict: 'accept' | 'reject'): Promise<Uint8Array> => {
    const { bytes: message } = await composeCertConf(found.exchange, issued, { code: file.code, at }, verdict)
    assert.equal(parseMessage(message).kind, CERT_CONF)
    return parseMessage(message).content.raw
  }
  const { fingerprint } = new Certificate(issued)
  assert.deepEqual(await contentOf('accept'), seq(seq(octets(fingerprint), integer(0))))
  const rejection = seq(integer(2), fromHex('03020001'))
  assert.deepEqual(await contentOf('reject'), seq(seq(octets(fingerprint), integer(0), rejection)))
  const broken = join(issued, new Uint8Array(1))
  const compose = (verdict: 'accept' | 'reject'): ReturnType<typeof composeCertConf> =>
    composeCertConf(found.exchange, broken, { code: file.code, at }, verdict)
  assert.equal(await codeOf(() => compose('accept')), 'cmp-malformed')
  assert.deepEqual(parseMessage((await compose('reject')).bytes).content.raw, seq())
})
