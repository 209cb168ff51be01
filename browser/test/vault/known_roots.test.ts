/** A center that was taken over cannot name a root of its own: the vault's settings say which ones issue (A15, B10). */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sha256 } from '@noble/hashes/sha2.js'
import { fromHex, toHex } from '../../src/pure/octets.ts'
import { toBase64 } from '../../src/vault/base64.ts'
import { knownRoots } from '../../src/vault/known_roots.ts'
import { json } from '../pure/vectors.ts'

const { root, issuing } = json<{ root: string; issuing: string }>('issuing/exchange.json')
const [rootDer, issuingDer] = [fromHex(root), fromHex(issuing)]
const allowed = [toHex(sha256(rootDer))]

test('anchors below a root of the settings are taken', () => {
  assert.ok(knownRoots([toBase64(rootDer), toBase64(issuingDer)], allowed))
})

test('a root that the settings do not name is not taken, beside a named one neither', () => {
  assert.equal(knownRoots([toBase64(rootDer)], []), false)
  assert.equal(knownRoots([toBase64(rootDer)], ['0'.repeat(64)]), false)
})

test('an issuing authority without its root is not taken, whatever the settings name', () => {
  assert.equal(knownRoots([toBase64(issuingDer)], [...allowed, toHex(sha256(issuingDer))]), false)
})
