/** What the page of an issue asks of our own server: form fields out, JSON back, as everywhere (security F3). */

/** How a request failed. `refused` is final; `away` may be sent again; `elsewhere`: the flow stands at another step. */
export interface Failed {
  readonly kind: 'refused' | 'away' | 'elsewhere'
  readonly code: string
  /** The server's own; empty where nothing came. */
  readonly sentence: string
}

export interface Carried {
  readonly message: string
  readonly idn: string | null
}

class Answered extends Error {
  readonly failed: Failed

  constructor(failed: Failed) {
    super(failed.code)
    this.name = 'Answered'
    this.failed = failed
  }
}

const NOT_LOGGED_IN = 401
const TRUE_STEP = 409
const TOO_MANY = 429

/** The endpoints below `data-base`, with the turn of this page. */
export class Asking {
  readonly base: string
  readonly #csrf: string
  readonly #run: string
  #version: string

  constructor(data: DOMStringMap) {
    this.base = data['base'] ?? '/issuance/new'
    this.#csrf = data['csrf'] ?? ''
    this.#run = data['run'] ?? ''
    this.#version = data['version'] ?? ''
  }

  /** The `issue` object. */
  issue(): Promise<unknown> {
    return this.#sent('issue', null)
  }

  /** ⑤: the key is made; of a renewal with the fingerprint of what it renews. Gives the product that this settles. */
  async key(spki: string, renews?: string): Promise<string | null> {
    const of = renews === undefined ? {} : { renews }
    const told = await this.#sent('key', { spki, ...of, ...this.#turn() })
    const { version, product } = (told ?? {}) as Record<string, unknown>
    if (typeof version === 'number') this.#version = String(version)
    return typeof product === 'string' ? product : null
  }

  /** ⑥, or what it gave before. Gives the `registered` object. */
  async product(form: FormData, again: boolean): Promise<unknown> {
    const fields = Object.fromEntries([...form].map(([name, value]) => [name, String(value)]))
    return this.#sent('product', { ...fields, ...(again ? { again: 'yes' } : {}), ...this.#turn() })
  }

  /** A message of the vault to the authority and its answer, base64; `idn` beside a renewed certificate, else null. */
  async carry(message: string): Promise<Carried> {
    const told = await this.#sent('carry', { message, run: this.#run })
    const { message: answer, idn } = (told ?? {}) as Record<string, unknown>
    if (typeof answer !== 'string') throw new TypeError('no message')
    return { message: answer, idn: typeof idn === 'string' ? idn : null }
  }

  /** What a failure means. */
  failed(failure: unknown): Failed {
    return failure instanceof Answered ? failure.failed : { kind: 'away', code: 'outage', sentence: '' }
  }

  #turn(): Record<string, string> {
    return { run: this.#run, version: this.#version }
  }

  async #sent(what: string, fields: Readonly<Record<string, string>> | null): Promise<unknown> {
    const response = await fetch(`${this.base}/${what}`, {
      method: fields === null ? 'GET' : 'POST',
      headers: { Accept: 'application/json', 'X-Ingam-CSRF': this.#csrf },
      body: fields === null ? null : new URLSearchParams({ ...fields, csrf: this.#csrf }),
      cache: 'no-store',
      redirect: 'error',
    })
    if (response.ok) return response.json()
    throw new Answered(meaning(response.status, await response.json().catch(() => null)))
  }
}

function meaning(status: number, told: unknown): Failed {
  const { code, message } = (told ?? {}) as Record<string, unknown>
  const known = typeof code === 'string' && /^[a-z0-9-]{1,64}$/.test(code) ? code : 'outage'
  const sentence = typeof message === 'string' ? message : ''
  if (status === NOT_LOGGED_IN || status === TRUE_STEP) return { kind: 'elsewhere', code: known, sentence }
  return { kind: status >= 500 || status === TOO_MANY ? 'away' : 'refused', code: known, sentence }
}
