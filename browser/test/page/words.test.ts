/** What a center page says around the certificate window is in the words that it brings, in both languages. */

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { words } from '../../src/generated/page_words.ts'
import { words as inside } from '../../src/generated/words.ts'

const WINDOW = new URL('../../src/window/', import.meta.url)
const SOURCES = ['main.ts', 'issue.ts', 'issue_screen.ts'].map((name) => readFileSync(new URL(name, WINDOW), 'utf8'))

test('every text around the frame is there', () => {
  const named = SOURCES.flatMap((source) => [...source.matchAll(/(?:say|word)\('([a-z-]+)'/g)].map((match) => match[1]!))
  assert.ok(named.length > 8)
  for (const name of named) {
    for (const lang of ['ko', 'en'] as const) assert.ok(words[lang][`vault.${name}`], `${lang}: ${name}`)
  }
})

test('a renewal has its own wording where the window has one', () => {
  for (const name of Object.keys(inside.ko).filter((key) => key.startsWith('vault.renew-'))) assert.ok(words.ko[name], name)
})

test('every code has the same sentence on the page and inside the window', () => {
  const told = Object.entries(inside.ko).filter(([key]) => /^(?:refusal\.|vault\.why-)/.test(key))
  assert.ok(told.length > 600)
  for (const [key, text] of told) assert.equal(words.ko[key], text)
})
