/** The text of a device's key: the same bytes as in Python, and no way to break out of a line. */

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { deviceText } from '../../src/pure/device.ts'

const HERE = 'http://localhost:8700'
const ASKED = {
  purpose: 'device',
  act: 'registration',
  origin: HERE,
  nonce: 'ab'.repeat(32),
  issued: '2026-11-26T09:00:00Z',
  expires: '2026-11-26T09:03:00Z',
  session: 'cd'.repeat(32),
  body: null,
}

test('E8 the text is as the server builds it', () => {
  // The same value stands in tests/protocols/device/test_device.py.
  const hash = createHash('sha256').update(deviceText(ASKED, HERE)).digest('hex')
  assert.equal(hash, 'c8ba36ca6507d356ef88eaa84dde312616df6213f0ee97b25ca7e33884e56cc1')
})

for (const wrong of [
  { purpose: 'device\nact: x' },
  { act: 'Registration' },
  { origin: 'http://localhost:8701' },
  { nonce: 'ab' },
  { session: `${'cd'.repeat(31)}\nxx` },
  { issued: '2026-11-26' },
  { body: '-' },
]) {
  test(`a challenge with ${JSON.stringify(wrong)} is not signed`, () => {
    assert.throws(() => deviceText({ ...ASKED, ...wrong }, HERE), RangeError)
  })
}
