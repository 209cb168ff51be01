/** 유효성 검증: a center that was taken over makes no path look good, and is asked only by the person's press (A15, H5). */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Certificate } from '../../src/pure/npki/certificate.ts'
import { Certificate as Parsed } from '../../src/pure/npki/certificate.ts'
import { toBase64 } from '../../src/vault/base64.ts'
import { believed } from '../../src/vault/known_roots.ts'
import { lookedAt } from '../../src/vault/manage_checking.ts'
import { StatusQuestion } from '../../src/vault/manage_status.ts'
import type { Finding } from '../../src/vault/screens/manage_verify.ts'
import { anchors, at, file, issued, issuing, root } from '../pure/issuing_vectors.ts'
import { fromHex } from '../../src/pure/octets.ts'

const certificate = new Parsed(issued)
const say = (name: string): string => name

async function path(roots: readonly string[], given: readonly Certificate[] = anchors, of = certificate): Promise<Finding> {
  const looking = { certificate: of, anchors: believed(given, roots), at, lang: 'ko', say, known: false, registered: null, sentence: say } as const
  return (await lookedAt(looking)).find(([name]) => name === 'path')![1]
}

test('A15 a path to a root of the settings is good', async () => {
  assert.deepEqual(await path([root.fingerprintHex]), { verdict: 'good', text: 'manage-path-good' })
})

test('A15 a root that the page alone names makes no path good: it is not checked here', async () => {
  const unchecked = { verdict: 'open', text: 'manage-path-unchecked' }
  assert.deepEqual(await path([]), unchecked)
  assert.deepEqual(await path(['0'.repeat(64)]), unchecked)
  assert.deepEqual(await path([issuing.fingerprintHex]), unchecked)
})

test('A15 a CA without its root is no end of a path here', async () => {
  assert.equal((await path([root.fingerprintHex], [issuing])).verdict, 'open')
  assert.equal((await path([], [issuing])).verdict, 'open')
})

test('A15 what claims a root of the settings and is not below it is bad', async () => {
  const forged = file.wrong.find(({ fault }) => fault === 'signature')!
  assert.equal((await path([root.fingerprintHex], anchors, new Parsed(fromHex(forged.der)))).verdict, 'bad')
  const broken = issuing.der.slice()
  broken[broken.length - 1]! ^= 1
  assert.equal((await path([root.fingerprintHex], [root, new Parsed(broken)])).verdict, 'bad')
  assert.equal((await path([root.fingerprintHex], [root])).text, 'manage-path-issuer')
})

function question(): { of: StatusQuestion; asked: string[]; shown: Finding[] } {
  const asked: string[] = []
  const shown: Finding[] = []
  const of = new StatusQuestion({ say, sentence: say, ask: (each) => void asked.push(each), show: (each) => void shown.push(each) })
  return { of, asked, shown }
}

test('H5 a certificate goes to the center when the person has pressed for it, and not before', () => {
  const { of, asked, shown } = question()
  of.about(certificate)
  assert.deepEqual(asked, [])
  assert.deepEqual(shown, [{ verdict: 'open', text: 'manage-status-unasked' }])
  of.press()
  of.press()
  assert.deepEqual(asked, [toBase64(certificate.der)])
  of.unanswered('outage')
  of.press()
  assert.equal(asked.length, 2)
  of.end()
})

test('H5 another certificate has to be asked for anew, and what is said without a question is nothing', () => {
  const { of, asked, shown } = question()
  assert.equal(of.answered(), false)
  of.press()
  assert.deepEqual(asked, [])
  of.about(certificate)
  of.press()
  of.about(new Parsed(issuing.der))
  assert.equal(of.answered(), false)
  assert.equal(asked.length, 1)
  assert.equal(shown.at(-1)?.text, 'manage-status-unasked')
  of.press()
  assert.equal(of.answered(), true)
  assert.equal(of.answered(), false)
  of.end()
})
