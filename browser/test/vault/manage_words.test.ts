/** Every text that the certificate desk names is there in both languages, and none is there that it does not name. */

import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { words } from '../../src/generated/words.ts'
import { ACTS } from '../../src/vault/manage_acts.ts'
import { SOURCES, VERDICTS } from '../../src/vault/manage_messages.ts'
import { SHOWN } from '../../src/vault/screens/manage_verify.ts'

const VAULT = new URL('../../src/vault/', import.meta.url)
const USAGES = ['digitalSignature', 'nonRepudiation', 'keyEncipherment', 'dataEncipherment', 'keyAgreement', 'keyCertSign', 'cRLSign', 'encipherOnly', 'decipherOnly']
/** Names that are put together. */
const COMPOSED = [
  ...ACTS.map((each) => `manage-act-${each}`),
  ...[...VERDICTS, 'waits', 'no'].map((each) => `manage-verdict-${each}`),
  ...[...VERDICTS, 'waits'].map((each) => `manage-sum-${each}`),
  ...SHOWN.map((each) => `manage-check-${each}`),
  ...SOURCES.map((each) => `manage-source-${each}`),
  ...USAGES.map((each) => `manage-usage-${each}`),
  ...['pfx', 'pair'].flatMap((each) => [`manage-shape-${each}`, `manage-shape-${each}-hint`]),
  ...['browser', 'files', 'exported-strong', 'exported-common'].map((each) => `manage-${each}`),
]
/** Said by the page around the frame. */
const OUTSIDE = ['manage-frame-title']

function quoted(): Set<string> {
  const files = [
    ...readdirSync(VAULT).filter((name) => name.startsWith('manage_')).map((name) => new URL(name, VAULT)),
    ...readdirSync(new URL('screens/', VAULT)).filter((name) => name.startsWith('manage_')).map((name) => new URL(`screens/${name}`, VAULT)),
  ]
  const texts = files.map((file) => readFileSync(file, 'utf8')).join('\n')
  const rows = [...texts.matchAll(/\{ name: '([a-z-]+)', text/g)].map((found) => `detail-${found[1]!}`)
  // Classes of elements, and the section of sentences, look alike.
  const bare = texts.replace(/class: '[^']*'|'manage-why'/g, '')
  return new Set([...rows, ...[...bare.matchAll(/'((?:manage|detail)-[a-z-]+)'/g)].map((found) => found[1]!)])
}

test('every name of the desk has a text in both languages', () => {
  for (const lang of ['ko', 'en'] as const) {
    const codes = ['manage-cannot-change', 'manage-cannot-remove']
    const named = [...quoted(), ...COMPOSED].filter((name) => !codes.includes(name))
    assert.deepEqual(named.filter((name) => words[lang][`vault.${name}`] === undefined), [])
    assert.deepEqual(codes.filter((code) => words[lang][`vault.manage-why-${code}`] === undefined), [])
  }
})

test('no text of the desk is left over', () => {
  const known = Object.keys(words.ko).filter((key) => key.startsWith('vault.manage-') && !key.startsWith('vault.manage-why-'))
  const used = new Set([...quoted(), ...COMPOSED, ...OUTSIDE])
  assert.deepEqual(known.map((key) => key.slice('vault.'.length)).filter((name) => !used.has(name)), [])
})
