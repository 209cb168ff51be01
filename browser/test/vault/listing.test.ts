/** Which picked files make a certificate (security B14, npki.md §4). */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FILE_MOST, grouped, LISTING_MOST, mayMatter } from '../../src/vault/listing.ts'

const files = (...paths: string[]): { path: string; size: number }[] => paths.map((path) => ({ path, size: 100 }))
const HONG = 'NPKI/SignKorea/USER/cn=홍길동-6422061,ou=HTS,o=SignKorea,c=KR'
const BANK = 'NPKI/yessign/USER/cn=홍길동()0020,ou=WOORI,o=yessign,c=kr'

function said(listing: { path: string; size: number }[]): string[] {
  return grouped(listing).groups.map((group) =>
    group.kind === 'pfx' ? group.pfx.path : `${group.certificate?.path ?? '-'} + ${group.key?.path ?? '-'}`,
  )
}

test('B14 a whole NPKI folder gives one line a certificate, and nothing else of it is read', () => {
  const listing = files(
    `${HONG}/signCert.der`,
    `${HONG}/signPri.key`,
    `${HONG}/kmCert.der`,
    `${HONG}/kmPri.key`,
    `${HONG}/CaPubs`,
    `${BANK}/SIGNPRI.KEY`,
    `${BANK}/SignCert.der`,
    'NPKI/yessign/yessignCA Class 3.der',
    'NPKI/notes.txt',
    'NPKI/backup/hong.PFX',
  )
  assert.deepEqual(said(listing), [
    `${HONG}/signCert.der + ${HONG}/signPri.key`,
    `${BANK}/SignCert.der + ${BANK}/SIGNPRI.KEY`,
    'NPKI/backup/hong.PFX',
  ])
})

test('two files picked by hand belong together, whatever order and letter case they have', () => {
  assert.deepEqual(said(files('signPri.key', 'signCert.der')), ['signCert.der + signPri.key'])
  assert.deepEqual(said(files('SIGNCERT.DER', 'SIGNPRI.KEY')), ['SIGNCERT.DER + SIGNPRI.KEY'])
})

test('two renamed files are taken when nothing else was picked with them', () => {
  assert.deepEqual(said(files('hong.cer', 'hong.key')), ['hong.cer + hong.key'])
  assert.deepEqual(said(files('hong.cer', 'hong.key', 'note.txt')), [])
  assert.deepEqual(said(files('kmCert.der', 'kmPri.key')), [])
})

test('a certificate without its key is shown, so that the person learns what is missing', () => {
  assert.deepEqual(said(files('signCert.der')), ['signCert.der + -'])
  assert.deepEqual(said(files('signPri.key')), ['- + signPri.key'])
})

test('B14 files over 64 KiB and empty ones are not read', () => {
  const large = { path: 'a.pfx', size: FILE_MOST + 1 }
  const fits = { path: 'b.pfx', size: FILE_MOST }
  const { groups, tooLarge } = grouped([large, fits, { path: 'c.pfx', size: 0 }])
  assert.equal(groups.length, 1)
  assert.equal(tooLarge, 2)
})

test('B14 a listing is bounded, and says so', () => {
  const many = files(...Array.from({ length: 150 }, (_, at) => `NPKI/x/USER/${at}/signCert.der`))
  assert.equal(grouped(many).groups.length, 100)
  assert.equal(grouped(many).full, true)
  const endless = files(...Array.from({ length: LISTING_MOST + 1 }, (_, at) => `photos/${at}.jpg`), `${HONG}/signCert.der`)
  assert.deepEqual(grouped(endless).groups, [])
  assert.equal(grouped(endless).full, true)
})

test('B14 of a dropped folder only files of these names are opened at all', () => {
  for (const name of ['signCert.der', 'SIGNPRI.KEY', 'x.p12']) assert.equal(mayMatter(name), true)
  for (const name of ['passwd', 'kmPri.key', 'x.pfx.exe', 'signPri.key.bak', '']) assert.equal(mayMatter(name), false)
})
