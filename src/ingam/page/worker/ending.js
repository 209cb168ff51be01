// The kill switch (security B13): in place of the service worker this one is served. It answers no request, forgets
// what the other kept, and takes itself away.

self.addEventListener('install', () => self.skipWaiting())

self.addEventListener('activate', (event) => {
  event.waitUntil(end())
})

async function end() {
  for (const name of await caches.keys()) if (name.startsWith('ingam-static-')) await caches.delete(name)
  await self.registration.unregister()
}
