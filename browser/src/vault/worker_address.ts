/** Where workers come from: the hash-named files that the page names itself, and nothing else (security B3). */

interface ScriptPolicy {
  createScriptURL(address: string): unknown
}
interface Factory {
  createPolicy(name: string, rules: { createScriptURL: (address: string) => string }): ScriptPolicy
}

/** `worker` opens keys; `scan` and `scan_wasm` read pictures. */
export type WorkerName = 'worker' | 'scan' | 'scan_wasm'

let policy: ScriptPolicy | null = null

/** The address of a worker's script, let through by the one policy of this document. */
export function workerAddress(name: WorkerName): string {
  const address = document.querySelector(`meta[name=${name}]`)?.getAttribute('content') ?? ''
  const factory = (globalThis as { trustedTypes?: Factory }).trustedTypes
  policy ??= factory?.createPolicy('ingam-worker', { createScriptURL: onlyWorkers }) ?? null
  // TypeScript knows no TrustedScriptURL; a browser without Trusted Types takes the text.
  return (policy === null ? onlyWorkers(address) : policy.createScriptURL(address)) as string
}

function onlyWorkers(address: string): string {
  if (!/^\/(worker|scan|scan_wasm)-[A-Z0-9]{8}\.js$/.test(address)) throw new TypeError('not a worker')
  return address
}
