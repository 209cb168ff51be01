/** Lines of the certificate window made of files that somebody else named (security A19). */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { entryOfGroup } from '../../src/vault/entries.ts'

async function shown(name: string): Promise<string> {
  const pfx = { path: `NPKI/${name}`, size: 3, read: () => Promise.resolve(Uint8Array.of(1, 2, 3)) }
  return (await entryOfGroup({ kind: 'pfx', pfx })).fileName
}

test('A19 a file name turns no line around, hides nothing and stays short', async () => {
  assert.equal(await shown('hong.pfx'), 'hong.pfx')
  assert.equal(await shown('홍길동 (2).pfx'), '홍길동 (2).pfx')
  assert.equal(await shown('\u202exfp.gnoh\u2069.pfx'), '\ufffdxfp.gnoh\ufffd.pfx')
  assert.equal(await shown('a\u200b\u0007.pfx'), 'a\ufffd\ufffd.pfx')
  const long = await shown(`${'가'.repeat(255)}.pfx`)
  assert.ok(long.length <= 80 && long.endsWith('…'))
})
