/** Certificates, names, policies and VID over the public samples. */

import assert from 'node:assert/strict'
import { createHash, X509Certificate } from 'node:crypto'
import { test } from 'node:test'
import { fromHex, toHex } from '../../src/pure/octets.ts'
import { Certificate } from '../../src/pure/npki/certificate.ts'
import { explicit, oid, PRINTABLE_STRING, seq, setOf, tlv, UTF8_STRING } from '../../src/pure/npki/der.ts'
import { openKey } from '../../src/pure/npki/key_file.ts'
import { accepts, authorityOf, issuerName, lookupPolicy } from '../../src/pure/npki/policies.ts'
import { decodeString, displayName, folderName, type Name } from '../../src/pure/npki/subject.ts'
import { nameText, parseName, sameName } from '../../src/pure/npki/subject.ts'
import { checkVid, computeVid, parseIdentifyData } from '../../src/pure/npki/vid.ts'
import table from '../../src/generated/policies.json' with { type: 'json' }
import { bytes, codeOf, json, names, text } from './vectors.ts'

const TYPES: Readonly<Record<string, string>> = { C: '2.5.4.6', O: '2.5.4.10', OU: '2.5.4.11', CN: '2.5.4.3' }

function nameOf(parts: readonly (readonly [string, string])[], tag = UTF8_STRING): Name {
  const rdns = parts.map(([type, value]) => setOf([seq(oid(TYPES[type]!), tlv(tag, text(value)))]))
  return parseName(seq(...rdns))
}

const ISSUED = names('npki-samples/authorities').filter((name) => name.endsWith('.cer'))
const PAIRS = ['pypinksign/signCert.der', 'kiea-mydata/signCert.der', 'kiea-mydata/kmCert.der']

for (const path of [...ISSUED.map((name) => `authorities/${name}`), ...PAIRS]) {
  test(`${path} reads as node reads it`, () => {
    const der = bytes(`npki-samples/${path}`)
    const certificate = new Certificate(der)
    const theirs = new X509Certificate(der)
    assert.equal(certificate.serial.toString(16), BigInt(`0x${theirs.serialNumber}`).toString(16))
    assert.equal(certificate.notBefore.getTime(), Date.parse(theirs.validFrom))
    assert.equal(certificate.notAfter.getTime(), Date.parse(theirs.validTo))
    assert.equal(certificate.fingerprintHex, createHash('sha256').update(der).digest('hex'))
    const jwk = theirs.publicKey.export({ format: 'jwk' }) as { n: string }
    assert.equal(certificate.publicKey.n, BigInt(`0x${Buffer.from(jwk.n, 'base64url').toString('hex')}`))
  })
}

test('a SignKorea signing certificate shows what the window needs', () => {
  const certificate = new Certificate(bytes('npki-samples/kiea-mydata/signCert.der'))
  assert.equal(certificate.policyOid, '1.2.410.200004.5.1.1.7')
  assert.deepEqual([...certificate.keyUsage!], ['digitalSignature', 'nonRepudiation'])
  assert.equal(lookupPolicy(certificate.issuer, certificate.policyOid)?.name.ko, '범용(법인)')
  assert.equal(issuerName(certificate.issuer), '코스콤')
  assert.equal(parseIdentifyData(certificate.identifyData!).vid.octets.length, 32)
})

test('an encryption certificate has no identifyData and another usage', () => {
  const certificate = new Certificate(bytes('npki-samples/kiea-mydata/kmCert.der'))
  assert.equal(certificate.identifyData, null)
  assert.deepEqual([...certificate.keyUsage!], ['keyEncipherment'])
  assert.equal(certificate.policyOid, '1.2.410.200004.5.1.1.13')
})

test('every cut of a certificate, and a byte behind it, is malformed', async () => {
  const der = bytes('npki-samples/kiea-mydata/signCert.der')
  for (let size = 0; size < der.length; size += 7) {
    assert.equal(await codeOf(() => new Certificate(der.subarray(0, size))), 'cert-malformed')
  }
  assert.equal(await codeOf(() => new Certificate(Uint8Array.of(...der, 0))), 'cert-malformed')
  assert.equal(await codeOf(() => new Certificate(new Uint8Array(70_000))), 'cert-malformed')
})

test('any flipped octet gives a certificate or cert-malformed, never another failure', async () => {
  const der = bytes('npki-samples/kiea-mydata/signCert.der')
  for (let at = 0; at < der.length; at++) {
    const flipped = der.slice()
    flipped[at]! ^= 0x41
    const read = (): unknown => {
      const certificate = new Certificate(flipped)
      return [certificate.policies, certificate.keyUsage, certificate.subjectKeyId, certificate.identifyData]
    }
    assert.ok(['done', 'cert-malformed', 'cert-several-identify-data'].includes(await codeOf(read)))
    const key = await codeOf(() => new Certificate(flipped).publicKey)
    assert.ok(['done', 'cert-malformed', 'cert-key-kind'].includes(key))
  }
})

test('display names lose what the authority hung on', () => {
  for (const [common, shown] of [
    ['홍길동-6422061', '홍길동'],
    ['홍길동(HONG GIL DONG)0020049201002031234', '홍길동'],
    ['홍길동_0000148508', '홍길동'],
    ['(주)코스콤-1', '(주)코스콤'],
    ['홍길동', '홍길동'],
    ['A-b', 'A-b'],
  ] as const) {
    assert.equal(displayName(nameOf([['C', 'KR'], ['CN', common]])), shown)
  }
})

test('names are the same by decoded values, whatever string type or case', () => {
  const one = nameOf([['C', 'KR'], ['O', 'yessign'], ['CN', 'Ｈong  Gil']])
  const other = nameOf([['C', 'kr'], ['O', 'YESSIGN'], ['CN', 'hong gil']])
  assert.ok(sameName(one, other))
  assert.ok(sameName(nameOf([['O', 'SignKorea']]), nameOf([['O', 'signkorea']], PRINTABLE_STRING)))
  assert.ok(!sameName(one, nameOf([['O', 'yessign'], ['C', 'KR'], ['CN', 'hong gil']])))
})

test('folder names and texts read leaf first', () => {
  const name = nameOf([['C', 'KR'], ['O', 'SignKorea'], ['OU', '증권'], ['CN', '홍길동-6422061']])
  assert.equal(folderName(name), 'cn=홍길동-6422061,ou=증권,o=SignKorea,c=KR')
  assert.equal(nameText(nameOf([['O', 'a, b'], ['CN', '#x ']])), 'CN=\\#x\\ ,O=a\\, b')
  assert.equal(folderName(nameOf([['CN', '../x:y']])), 'cn=.._x_y')
})

test('strings of every type are text, or refused', async () => {
  assert.equal(decodeString(0x1e, fromHex('d64dae38b3d9')), '홍길동')
  assert.equal(decodeString(0x1c, fromHex('0000d64d')), '홍')
  assert.equal(decodeString(0x14, fromHex('e9')), 'é')
  for (const [tag, hex] of [
    [0x0c, 'ff'],
    [0x13, 'c3a9'],
    [0x1e, 'd6'],
    [0x1e, 'd800'],
    [0x1c, '00110000'],
    [0x0c, '6100'],
    [0x04, '61'],
  ] as const) {
    assert.equal(await codeOf(() => decodeString(tag, fromHex(hex))), 'name-malformed', hex)
  }
})

test('A9 every policy of a foreign arc is refused under every issuer', () => {
  for (const issuer of table.authorities) {
    const name = nameOf([['C', 'KR'], ['O', issuer.o], ['CN', `${issuer.brands[0]!} CA4`]])
    assert.equal(authorityOf(name)?.key, issuer.key)
    for (const other of table.authorities) {
      for (const policy of other.policies) {
        for (const kind of ['personal', 'union-head', 'corporate'] as const) {
          const answer = accepts(name, policy.oid, kind)
          if (other.key !== issuer.key) assert.equal(answer, 'policy-not-accepted')
          if (answer === 'accepted') assert.ok(['universal', 'securities'].includes(policy.use))
        }
      }
    }
  }
})

test('a bank-only certificate and another kind of holder are told apart', () => {
  const yessign = nameOf([['C', 'kr'], ['O', 'yessign'], ['CN', 'yessignCA Class 3']])
  assert.equal(accepts(yessign, '1.2.410.200005.1.1.4', 'personal'), 'bank-only')
  assert.equal(accepts(yessign, '1.2.410.200005.1.1.1', 'personal'), 'accepted')
  assert.equal(accepts(yessign, '1.2.410.200005.1.1.1', 'union-head'), 'accepted')
  assert.equal(accepts(yessign, '1.2.410.200005.1.1.1', 'corporate'), 'kind-clash')
  assert.equal(accepts(yessign, null, 'personal'), 'policy-not-accepted')
})

interface Vids {
  vid: { cases: { idn: string; hashContent_der: string; vid: string }[] }
}
for (const each of json<Vids>('npki-samples/vectors.json').vid.cases) {
  test(`the VID of ${each.idn} is the published one`, async () => {
    const random = fromHex(each.hashContent_der).subarray(4 + each.idn.length)
    assert.equal(toHex(computeVid(each.idn, random)), each.vid)
    const vid = { hash: 'sha256', octets: fromHex(each.vid) } as const
    checkVid(vid, each.idn, random)
    assert.equal(await codeOf(() => checkVid(vid, each.idn.replace('1', '2'), random)), 'vid-mismatch')
  })
}

test('A14 a VID of other numbers, of a short R, or twice in a certificate is refused', async () => {
  const random = (await openKey(bytes('npki-samples/pypinksign/signPri.key'), text('WTuA8Ev0lWXVFSiI!'))).random!
  for (const idn of ['', '123', '123456-1234567', '١٢٣٤٥٦١٢٣٤٥٦٧']) {
    assert.equal(await codeOf(() => computeVid(idn, random)), 'vid-number')
  }
  for (const hex of ['0302' + '00aa', '0316' + '04' + 'aa'.repeat(20) + 'f0', '0415' + '00'.repeat(21)]) {
    assert.equal(await codeOf(() => computeVid('1234567890', fromHex(hex))), 'vid-random')
  }
  const vid = seq(seq(oid('2.16.840.1.101.3.4.2.1')), explicit(0, tlv(4, new Uint8Array(32))))
  const item = seq(oid('1.2.410.200004.10.1.1.1'), vid)
  const realName = tlv(UTF8_STRING, text('홍길동'))
  assert.equal(parseIdentifyData(seq(realName, seq(item))).realName, '홍길동')
  assert.equal(await codeOf(() => parseIdentifyData(seq(realName, seq(item, item)))), 'vid-malformed')
  assert.equal(await codeOf(() => parseIdentifyData(seq(realName))), 'vid-missing')
  assert.equal(await codeOf(() => parseIdentifyData(seq(realName, seq()))), 'vid-missing')
})

test('A19 a name that a screen would show as another one is refused, in every string type', async () => {
  const hidden = ['\u202e동길홍', '홍길동\u200b', '\u200f홍길동', '\u2067홍길동', '\ufeff홍길동', 'a\u00adb', '홍\u2028길동', 'a\u0000b']
  for (const value of hidden) {
    const wide = Uint8Array.from(Array.from(value).flatMap((each) => [each.charCodeAt(0) >> 8, each.charCodeAt(0) & 0xff]))
    assert.equal(await codeOf(() => decodeString(UTF8_STRING, text(value))), 'name-malformed', JSON.stringify(value))
    assert.equal(await codeOf(() => decodeString(0x1e, wide)), 'name-malformed', JSON.stringify(value))
  }
  assert.equal(decodeString(UTF8_STRING, text('홍길동(HONG) é')), '홍길동(HONG) é')
})
