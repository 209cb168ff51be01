// What the camera is told to see: drawn grey pictures of a card in the guide frame, each with one thing wrong.

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { AROUND, type Grey, grey, sightOf } from '../../src/page/card_sight.ts'

const WIDTH = 192
const HEIGHT = 121

/** A card of a grey on a desk of another, with what else is drawn on it. */
function scene(card: number, desk: number, drawn: (x: number, y: number) => number | null = () => null): Grey {
  const share = (1 - 1 / AROUND) / 2
  const values = new Uint8Array(WIDTH * HEIGHT)
  for (let y = 0; y < HEIGHT; y += 1) {
    for (let x = 0; x < WIDTH; x += 1) {
      const inside = x >= WIDTH * share && x < WIDTH * (1 - share) && y >= HEIGHT * share && y < HEIGHT * (1 - share)
      values[y * WIDTH + x] = inside ? (drawn(x, y) ?? card) : desk
    }
  }
  return { width: WIDTH, height: HEIGHT, values }
}

function text(soft: boolean): Grey {
  const values = new Uint8Array(320 * 200)
  for (let i = 0; i < values.length; i += 1) {
    const wave = Math.sin((i % 320) / (soft ? 20 : 1.6))
    values[i] = 150 + (soft ? 60 * wave : wave > 0 ? 60 : -60)
  }
  return { width: 320, height: 200, values }
}

const card = scene(190, 80)

test('a card that is there, lit, sharp and still may be photographed', () => {
  assert.equal(sightOf(card, text(false), card), 'good')
})

test('a desk without a card is no card, and neither is one that fills three sides less than the frame', () => {
  assert.equal(sightOf(scene(80, 80), text(false), scene(80, 80)), 'far')
  assert.equal(sightOf(scene(190, 80, (x, y) => (x < 120 && y < 80 ? 190 : 80)), text(false), card), 'far')
})

test('darkness, glare, movement and blur are told, in this order', () => {
  assert.equal(sightOf(scene(40, 10), text(true), null), 'dark')
  const glare = scene(190, 80, (x, y) => (x > 60 && x < 100 && y > 40 && y < 80 ? 255 : null))
  assert.equal(sightOf(glare, text(true), null), 'glare')
  assert.equal(sightOf(card, text(true), null), 'moving')
  assert.equal(sightOf(card, text(true), scene(150, 80)), 'moving')
  assert.equal(sightOf(card, text(true), card), 'blurred')
})

test('grey is what the eye sees of a colour', () => {
  const pixels = new Uint8ClampedArray([255, 255, 255, 255, 0, 0, 0, 255, 0, 255, 0, 255, 0, 0, 255, 255])
  assert.deepEqual([...grey(pixels, 4, 1).values], [255, 0, 149, 28])
})
