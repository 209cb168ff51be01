// The service worker of the center (security B13): registered where the page says so, and taken away again where the
// institution has switched it off. Nothing on a page depends on it.

const WORKER = '/static/service-worker.js'

interface ScriptPolicy {
  createScriptURL(address: string): unknown
}
interface Factory {
  createPolicy(name: string, rules: { createScriptURL: (address: string) => string }): ScriptPolicy
}

/** The one policy of the center's documents: it lets through the worker's own address and nothing else (B3). */
function workerAddress(): string {
  const factory = (globalThis as { trustedTypes?: Factory }).trustedTypes
  const policy = factory?.createPolicy('ingam-sw', { createScriptURL: onlyWorker })
  // TypeScript knows no TrustedScriptURL; a browser without Trusted Types takes the text.
  return (policy === undefined ? WORKER : policy.createScriptURL(WORKER)) as string
}

function onlyWorker(address: string): string {
  if (address !== WORKER) throw new TypeError('not the worker')
  return address
}

export async function startWebApp(root: Document): Promise<void> {
  const wanted = root.documentElement.dataset['serviceWorker']
  if (wanted === undefined || !('serviceWorker' in navigator)) return
  try {
    if (wanted === 'on') await register()
    else await end()
  } catch {
    // Private windows and strict settings refuse it; the page works as well without.
  }
}

async function register(): Promise<void> {
  // Asked for anew each time: an old worker must not outlive a deployment by the cache's patience.
  await navigator.serviceWorker.register(workerAddress(), { scope: '/', updateViaCache: 'none' })
}

async function end(): Promise<void> {
  for (const one of await navigator.serviceWorker.getRegistrations()) await one.unregister()
  for (const name of await caches.keys()) if (name.startsWith('ingam-static-')) await caches.delete(name)
}
