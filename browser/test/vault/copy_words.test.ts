/** Every text that a copy shows is there in both languages, and every code that can end it has a sentence of its own. */

import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { checkWords } from '../../src/generated/check_words.ts'
import { words } from '../../src/generated/words.ts'
import { DECLINED } from '../../src/vault/copy_run.ts'
import { sentence } from '../../src/vault/words.ts'

const VAULT = new URL('../../src/vault/', import.meta.url)
const SOURCES = [...readdirSync(VAULT), ...readdirSync(new URL('screens/', VAULT)).map((name) => `screens/${name}`)]
  .filter((name) => /^(screens\/)?(copy_|countdown)/.test(name))
  .map((name) => readFileSync(new URL(name, VAULT), 'utf8'))

/** Made of parts in the code. */
const COMPOSED = [
  ...['send', 'receive'].flatMap((role) => [`copy-frame-${role}`, `copy-words-${role}`, `copy-words-hint-${role}`]),
  ...['own', 'other'].map((whose) => `copy-away-${whose}`),
  ...['pc', 'phone'].map((here) => `copy-receive-hint-${here}`),
  ...['opening', 'vouching', 'keying', 'examining', 'judging', 'storing', 'sending', 'asking', 'preparing', 'connecting'].map(
    (at) => `copy-${at}`,
  ),
  'chip-refused-copy-out',
  'purpose-copy-out',
]

/** What the endpoint, the relay, the center and this frame end a run with. */
const CODES = [
  ...DECLINED,
  ...DECLINED.map((code) => `copy-peer-${code}`),
  'copy-wrong-number', 'copy-peer-gone', 'copy-link-lost', 'copy-expired', 'copy-cancelled', 'copy-peer-cancelled',
  'copy-declined', 'copy-broken', 'copy-version', 'copy-crowded', 'copy-unconfirmed', 'copy-voided', 'copy-words-over', 'copy-words-differ',
  'copy-elsewhere', 'copy-not-registered', 'key-mismatch', 'outage',
  'relay-stopping', 'relay-outage', 'ticket-invalid', 'ticket-over', 'ticket-used', 'mailbox-unknown', 'mailbox-taken',
  'copy-full', 'copy-too-many', 'copy-number-unknown', 'copy-number-used', 'copy-opens-spent', 'copy-runs-spent',
]

test('every text is there, in both languages', () => {
  const named = SOURCES.flatMap((source) => [...source.matchAll(/say\('([a-z-]+)'/g)].map((match) => match[1]!))
  const quoted = SOURCES.flatMap((source) => [...source.matchAll(/say\([^)]*\? '([a-z-]+)' : '([a-z-]+)'/g)].flatMap(([, a, b]) => [a!, b!]))
  assert.ok(named.length > 50)
  for (const lang of ['ko', 'en'] as const) {
    const missing = [...named, ...quoted, ...COMPOSED].filter((name) => words[lang][`vault.${name}`] === undefined)
    assert.deepEqual(missing, [], lang)
  }
})

test('no text of a copy is left over', () => {
  const whole = SOURCES.join('\n')
  const known = Object.keys(words.ko).filter((key) => key.startsWith('vault.copy-') && !key.startsWith('vault.copy-why-'))
  const names = known.map((key) => key.slice('vault.'.length)).filter((name) => !COMPOSED.includes(name))
  assert.deepEqual(names.filter((name) => !whole.includes(`'${name}'`) && name !== 'copy-key-open'), [])
})

test('every code that can end a copy has a sentence of its own, without a hole in it', () => {
  for (const lang of ['ko', 'en'] as const) {
    for (const code of CODES) {
      for (const role of ['send', 'receive']) {
        const text = sentence(lang, code, {}, 'copy-why', role)
        assert.notEqual(text, sentence(lang, 'defect'), `${lang} ${code}`)
        assert.doesNotMatch(text, /\{/, `${lang} ${code}`)
      }
    }
  }
})

test('C10 there are 1,024 check words in each language, no two alike', () => {
  for (const list of [checkWords.ko, checkWords.en]) {
    assert.equal(list.length, 1024)
    assert.equal(new Set(list).size, 1024)
  }
})
