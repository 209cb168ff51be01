// The service worker by its rules (security B13), in a world of its own: what it keeps, what it asks for, what it leaves.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { createContext, runInContext } from 'node:vm'

const FOLDER = new URL('../../../src/ingam/page/worker/', import.meta.url)
const ORIGIN = 'https://center.example'
const OFFLINE = '/static/offline-12AB34CD.html'
const KEPT = { version: 'now', offline: OFFLINE, files: ['/static/center-12AB34CD.css', OFFLINE] }

type Handler = (event: Record<string, unknown>) => void
interface Asked {
  url: string
  method?: string
  mode?: string
}

class Store {
  readonly held = new Map<string, unknown>()
  addAll(files: string[]): Promise<void> {
    for (const one of files) this.held.set(ORIGIN + one, { from: 'the start' })
    return Promise.resolve()
  }
  match(request: Asked): Promise<unknown> {
    return Promise.resolve(this.held.get(request.url))
  }
  put(request: Asked, answer: unknown): Promise<void> {
    this.held.set(request.url, answer)
    return Promise.resolve()
  }
}

/** A worker's world: its caches, the network it sees, and what became of it. */
function world(script: string, network: (request: Asked) => Promise<unknown>) {
  const handlers = new Map<string, Handler>()
  const stores = new Map<string, Store>([['ingam-static-before', new Store()], ['other', new Store()]])
  const told = { skipped: 0, claimed: 0, unregistered: 0, ahead: 0 }
  const caches = {
    open: (name: string) => Promise.resolve(stores.get(name) ?? stores.set(name, new Store()).get(name)),
    keys: () => Promise.resolve([...stores.keys()]),
    delete: (name: string) => Promise.resolve(stores.delete(name)),
    match: async (path: string) => {
      for (const one of stores.values()) if (one.held.has(ORIGIN + path)) return one.held.get(ORIGIN + path)
      return undefined
    },
  }
  const self = {
    location: { origin: ORIGIN },
    addEventListener: (kind: string, handler: Handler) => handlers.set(kind, handler),
    skipWaiting: () => void told.skipped++,
    clients: { claim: () => void told.claimed++ },
    registration: { unregister: () => void told.unregistered++, navigationPreload: { enable: () => void told.ahead++ } },
  }
  const context = createContext({ self, caches, URL, fetch: network, Response: { error: () => ({ from: 'nowhere' }) } })
  const before = script === 'serving.js' ? `const KEPT = ${JSON.stringify(KEPT)}\n` : ''
  runInContext(before + readFileSync(new URL(script, FOLDER), 'utf8'), context)
  const wait = async (kind: string): Promise<void> => {
    let until: unknown
    handlers.get(kind)?.({ waitUntil: (promise: unknown) => (until = promise) })
    await until
  }
  /** What the worker answers; undefined where it leaves the request to the browser. */
  const ask = async (request: Asked, preloadResponse?: Promise<unknown>): Promise<unknown> => {
    let answer: unknown
    const respondWith = (one: unknown) => (answer = one)
    handlers.get('fetch')?.({ request: { method: 'GET', mode: 'no-cors', ...request }, preloadResponse, respondWith })
    return answer
  }
  return { handlers, stores, told, wait, ask }
}

const found = (request: Asked) =>
  Promise.resolve({ from: 'the network', url: request.url, status: 200, type: 'basic', clone: () => ({ copy: true }) })
const lost = () => Promise.reject(new TypeError('no network'))

test('at its start it keeps the files of its deployment and forgets those of another', async () => {
  const { stores, told, wait } = world('serving.js', found)
  await wait('install')
  await wait('activate')
  assert.deepEqual([...stores.keys()], ['other', 'ingam-static-now'])
  assert.equal(stores.get('ingam-static-now')?.held.size, 2)
  assert.deepEqual([told.skipped, told.claimed], [1, 1])
})

test('B13 a page comes from the network and is never kept; without one the static page stands for it', async () => {
  const open = world('serving.js', found)
  await open.wait('install')
  const page = { url: `${ORIGIN}/cert-center`, mode: 'navigate' }
  assert.equal((await open.ask(page) as { from: string }).from, 'the network')
  assert.equal([...open.stores.values()].some((one) => one.held.has(page.url)), false)
  const shut = world('serving.js', lost)
  await shut.wait('install')
  assert.equal((await shut.ask(page) as { from: string }).from, 'the start')
})

test('a page that the browser asked for while the worker started is not asked for again', async () => {
  const { ask, told, wait } = world('serving.js', () => assert.fail('asked for twice'))
  await wait('install')
  await wait('activate')
  assert.equal(told.ahead, 1)
  const page = { url: `${ORIGIN}/cert-center`, mode: 'navigate' }
  assert.deepEqual(await ask(page, Promise.resolve({ from: 'ahead' })), { from: 'ahead' })
  assert.deepEqual(await ask(page, lost()), { from: 'the start' })
})

test('B13 hash-named files are kept once they came whole; nothing else is even looked at', async () => {
  const { ask, stores, wait } = world('serving.js', found)
  await wait('install')
  const font = `${ORIGIN}/static/Pretendard.subset.1-ABCD1234.woff2`
  await ask({ url: font })
  const kept = stores.get('ingam-static-now')!
  assert.equal(kept.held.has(font), true)
  assert.deepEqual(await ask({ url: font }), { copy: true })
  const before = kept.held.size
  for (const url of [
    `${ORIGIN}/static/main.js`,
    `${ORIGIN}/static/service-worker.js`,
    `${ORIGIN}/static/a-ABCD1234.json`,
    `${ORIGIN}/static/a-ABCD1234.css?x`,
    `${ORIGIN}/static/x/../a-ABCD1234.css.exe`,
    `${ORIGIN}/issuance/new/issue`,
    'https://vault.example/static/a-ABCD1234.css',
  ]) assert.equal(await ask({ url }), undefined, url)
  assert.equal(await ask({ url: font, method: 'POST' }), undefined)
  assert.equal(await ask({ url: `${ORIGIN}/login/id`, method: 'POST', mode: 'navigate' }), undefined)
  assert.equal(kept.held.size, before)
})

test('an answer that is not whole is passed on and not kept', async () => {
  const { ask, stores, wait } = world('serving.js', () => Promise.resolve({ status: 404, type: 'basic' }))
  await wait('install')
  const gone = `${ORIGIN}/static/old-ABCD1234.js`
  assert.deepEqual(await ask({ url: gone }), { status: 404, type: 'basic' })
  assert.equal(stores.get('ingam-static-now')?.held.has(gone), false)
})

test('B13 the kill switch answers nothing, forgets what was kept, and takes itself away', async () => {
  const { handlers, stores, told, wait } = world('ending.js', found)
  await wait('install')
  await wait('activate')
  assert.equal(handlers.has('fetch'), false)
  assert.deepEqual([...stores.keys()], ['other'])
  assert.equal(told.unregistered, 1)
})
