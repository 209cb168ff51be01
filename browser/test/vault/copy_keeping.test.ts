/** What came over is looked at before anything of it is believed, and what it would take the place of is found (C14). */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Certificate } from '../../src/pure/npki/certificate.ts'
import { certificateOf, twinsOf } from '../../src/vault/copy_keeping.ts'
import { keepAsItCame } from '../../src/vault/record.ts'
import { standingToCopy } from '../../src/vault/standing.ts'
import { entryOfRecord } from '../../src/vault/entries.ts'
import { digitsOf } from '../../src/vault/screens/copy_number.ts'
import { clockFace, secondsLeft } from '../../src/vault/screens/countdown.ts'
import { bytes, codeOf, counted } from '../pure/vectors.ts'

const CERTIFICATE = bytes('npki-samples/pypinksign/signCert.der')
const KEY_FILE = bytes('npki-samples/pypinksign/signPri.key')
const OTHER = bytes('npki-samples/kiea-mydata/signCert.der')
const ENCRYPTION = bytes('npki-samples/kiea-mydata/kmCert.der')

const refusal = (certificate: Uint8Array, keyFile: Uint8Array): Promise<string> =>
  codeOf(() => Promise.resolve(certificateOf({ certificate, keyFile })))

test('C14 a certificate for signing with a key file beside it is taken', () => {
  const found = certificateOf({ certificate: CERTIFICATE, keyFile: KEY_FILE })
  assert.equal(found.fingerprintHex, new Certificate(CERTIFICATE).fingerprintHex)
})

test('C14 everything else is refused by one code: no certificate, no key file, not for signing, bytes behind', async () => {
  const wrong: (readonly [Uint8Array, Uint8Array])[] = [
    [new Uint8Array([1]), KEY_FILE],
    [KEY_FILE, KEY_FILE],
    [CERTIFICATE, CERTIFICATE],
    [CERTIFICATE, new Uint8Array([0x30, 0])],
    [CERTIFICATE, KEY_FILE.subarray(0, KEY_FILE.length - 1)],
    [Uint8Array.from([...CERTIFICATE, 0]), KEY_FILE],
    [ENCRYPTION, KEY_FILE],
  ]
  for (const [certificate, keyFile] of wrong) {
    assert.equal(await codeOf(async () => certificateOf({ certificate, keyFile })), 'copy-payload')
  }
  assert.equal(await refusal(CERTIFICATE, KEY_FILE), 'done')
})

test('M-COPY-08 the same bytes, and the same holder by the same issuer, are there already; others are not', async () => {
  const [mine, other] = [await keepAsItCame(CERTIFICATE, KEY_FILE, counted(1)), await keepAsItCame(OTHER, KEY_FILE, counted(2))]
  const damaged = { ...other, certificate: new Uint8Array([1, 2, 3]) }
  assert.deepEqual(twinsOf(new Certificate(CERTIFICATE), [other, mine, damaged]), [mine])
  assert.deepEqual(twinsOf(new Certificate(OTHER), [mine, damaged]), [])
})

test('M-COPY-10 a line that may not leave says why before anybody types', async () => {
  const entry = entryOfRecord(await keepAsItCame(CERTIFICATE, KEY_FILE, counted(1)))
  const { fingerprintHex, notBefore, notAfter } = new Certificate(CERTIFICATE)
  const standing = (bound: string[], at: Date): string | null => standingToCopy(entry, bound, at).code
  const within = new Date(notBefore.getTime() + 1000)
  assert.equal(standing([], within), 'copy-not-registered')
  assert.equal(standing([fingerprintHex], within), null)
  assert.equal(standing([fingerprintHex], new Date(notAfter.getTime() + 1000)), 'cert-expired')
  assert.equal(standing([fingerprintHex], new Date(notBefore.getTime() - 1000)), 'cert-not-yet')
})

test('the number is read as people type it, and the clock as they read it', () => {
  assert.equal(digitsOf(' 4123-4567 ８９０1'), '412345678901')
  assert.equal(digitsOf('abc'), '')
  assert.deepEqual([180, 61, 9, 0].map(clockFace), ['3:00', '1:01', '0:09', '0:00'])
  assert.deepEqual([secondsLeft(1000, 0), secondsLeft(1000, 999), secondsLeft(1000, 5000)], [1, 1, 0])
})
