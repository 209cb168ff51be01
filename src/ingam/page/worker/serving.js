// The service worker of the center (security B13). It keeps hash-named files only: what a name stands for never
// changes, and nothing of a person is in them. Pages come from the network, always; without one, a static page says so.
//
// Before this stands `KEPT`: { version, offline, files }, the addresses of this deployment.

const KEEP = `ingam-static-${KEPT.version}`
const HASH_NAMED = /^\/static\/[\w.-]+-[0-9A-Z]{8}\.(?:css|js|woff2|png|svg|html)$/

self.addEventListener('install', (event) => {
  self.skipWaiting()
  event.waitUntil(caches.open(KEEP).then((kept) => kept.addAll(KEPT.files)))
})

self.addEventListener('activate', (event) => {
  event.waitUntil(forgetOthers().then(askAhead).then(() => self.clients.claim()))
})

self.addEventListener('fetch', (event) => {
  const { request } = event
  const address = new URL(request.url)
  if (request.method !== 'GET' || address.origin !== self.location.origin) return
  if (request.mode === 'navigate') event.respondWith(page(event))
  else if (address.search === '' && HASH_NAMED.test(address.pathname)) event.respondWith(file(request))
})

/** A page is asked for while this worker starts: nobody waits for one after the other. */
async function askAhead() {
  await self.registration.navigationPreload?.enable()
}

/** From the network and nowhere else; what no network answers is answered by the static page. */
async function page(event) {
  try {
    return (await event.preloadResponse) ?? (await fetch(event.request))
  } catch {
    return (await caches.match(KEPT.offline)) ?? Response.error()
  }
}

/** From the store, else from the network into the store. */
async function file(request) {
  const kept = await caches.open(KEEP)
  const found = await kept.match(request)
  if (found !== undefined) return found
  const answer = await fetch(request)
  if (answer.status === 200 && answer.type === 'basic') await kept.put(request, answer.clone())
  return answer
}

async function forgetOthers() {
  for (const name of await caches.keys()) if (name.startsWith('ingam-static-') && name !== KEEP) await caches.delete(name)
}
