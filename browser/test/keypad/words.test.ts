/** Everything that the keypad says has its words, in both languages. */

import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { words } from '../../src/generated/keypad_words.ts'
import { spoken } from '../../src/keypad/words.ts'
import { keysOf, localLayout } from '../../src/pure/keypad/layout.ts'
import { randomBytes } from '../../src/pure/platform.ts'

const FOLDER = new URL('../../src/keypad/', import.meta.url)
const CALLED = /(?:say|tell)\(\s*'([a-z-]+)'/g
const CHOSEN = /(?:say|tell)\([^()]*\?\s*'([a-z-]+)'\s*:\s*'?([a-z-]+)/g

test('every word of the keypad is in the table', () => {
  const sources = readdirSync(FOLDER).map((name) => readFileSync(new URL(name, FOLDER), 'utf8')).join('\n')
  const named = [...sources.matchAll(CALLED), ...sources.matchAll(CHOSEN)].flatMap((match) => match.slice(1))
  assert.ok(named.length > 25)
  for (const name of new Set(named)) {
    if (name === 'name' || name === 'away') continue
    for (const lang of ['ko', 'en'] as const) assert.ok(words[lang][`keypad.${name}`], `${lang}: ${name}`)
  }
})

test('every key is read aloud by a name of its own', () => {
  for (const lang of ['ko', 'en'] as const) {
    const table: Record<string, string> = words[lang]
    const say = (name: string, { letter = '' }: Readonly<Record<string, string | number>> = {}): string => {
      const text = table[`keypad.${name}`]
      assert.ok(text, `${lang}: ${name}`)
      return text.replace('{letter}', String(letter))
    }
    const keys = keysOf(localLayout('text', randomBytes))
    const glyphs = new Set(keys.map(({ glyph }) => glyph))
    const names = new Set([...glyphs].map((glyph) => spoken(say, glyph)))
    assert.equal(names.size, glyphs.size)
    assert.equal(glyphs.size, 95)
  }
})
