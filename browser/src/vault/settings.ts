/**
 * The origins that this vault belongs to, from its own `/settings.json`; never from a message (security A15, B2).
 *
 * Data and not a script, so that every script of the page can carry its integrity and the page itself stays the one
 * that was built (B3 Integrity-Policy, B4).
 */

/**
 * Exact origins, without a trailing slash; `roots`: SHA-256 of the roots below which certificates are issued here;
 * `desk_roots`: of those that the certificate desk believes besides. Nothing is encrypted for an authority below these.
 */
export interface Origins {
  readonly center: string
  readonly vault: string
  readonly relay: string
  readonly roots: readonly string[]
  readonly desk_roots: readonly string[]
}

const ROOT = /^[0-9a-f]{64}$/
const ORIGIN = /^https?:\/\/[a-z0-9.-]+(:\d{1,5})?$/

/** The configured origins. Throws where the vault was served without them, or under another origin than its own. */
export async function origins(): Promise<Origins> {
  const response = await fetch('/settings.json', { credentials: 'omit', cache: 'no-store', redirect: 'error' })
  const found = (await response.json()) as Partial<Origins>
  const { center = '', vault = '', relay = '', roots = [], desk_roots = [] } = found
  if (![center, vault, relay].every((each) => ORIGIN.test(each))) throw new Error('the vault has no settings')
  for (const each of [roots, desk_roots]) {
    if (!Array.isArray(each) || !each.every((one) => ROOT.test(one))) throw new Error('the vault has no settings')
  }
  // A vault reached under another name would keep records that nobody finds again (B1: its name is for ever).
  if (vault !== location.origin) throw new Error('this is not the address of the vault')
  return { center, vault, relay, roots, desk_roots }
}
