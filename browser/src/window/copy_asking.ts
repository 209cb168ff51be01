/** What the pages of a copy ask of our own server: form fields out, JSON back, as everywhere (security F3). */

const CODE = /^[a-z0-9-]{1,64}$/
const NOT_LOGGED_IN = 401
const TOO_MANY = 429

/** How a request failed. `away`: the very same may be sent again; `out`: nobody is logged in any more. */
export interface Failed {
  readonly kind: 'refused' | 'away' | 'out'
  readonly code: string
  /** The server's own; empty where nothing came. */
  readonly sentence: string
}

class Answered extends Error {
  readonly failed: Failed

  constructor(failed: Failed) {
    super(failed.code)
    this.name = 'Answered'
    this.failed = failed
  }
}

/** What a failure means. */
export function failedBy(failure: unknown): Failed {
  return failure instanceof Answered ? failure.failed : { kind: 'away', code: 'outage', sentence: '' }
}

export type Told = Readonly<Record<string, unknown>>

/** The acts below `data-base`. */
export class CopyAsking {
  readonly base: string
  readonly #csrf: string

  constructor(data: DOMStringMap) {
    this.base = data['base'] ?? ''
    this.#csrf = data['csrf'] ?? ''
  }

  /** One post; its answer. Throws what `failedBy` reads. */
  async post(act: string, fields: Readonly<Record<string, string>> = {}): Promise<Told> {
    const response = await fetch(`${this.base}/${act}`, {
      method: 'POST',
      headers: { Accept: 'application/json', 'X-Ingam-CSRF': this.#csrf },
      body: new URLSearchParams({ ...fields, csrf: this.#csrf }),
      cache: 'no-store',
      redirect: 'error',
    })
    const told: unknown = await response.json().catch(() => null)
    if (response.ok && typeof told === 'object' && told !== null) return told as Told
    throw new Answered(meaning(response.status, told))
  }

  /** A post that changes nothing when it is said twice: again while nobody answers, `tries` times in all. */
  async insist(act: string, fields: Readonly<Record<string, string>>, tries: number): Promise<Told> {
    for (let turn = 1; ; turn += 1) {
      try {
        return await this.post(act, fields)
      } catch (failure) {
        if (failedBy(failure).kind !== 'away' || turn >= tries) throw failure
        await new Promise((resolve) => setTimeout(resolve, Math.min(turn, 5) * 1000))
      }
    }
  }
}

function meaning(status: number, told: unknown): Failed {
  const { code, message } = (told ?? {}) as Record<string, unknown>
  const known = typeof code === 'string' && CODE.test(code) ? code : 'outage'
  const sentence = typeof message === 'string' ? message : ''
  if (status === NOT_LOGGED_IN) return { kind: 'out', code: known, sentence }
  // Budgets that are spent are final for the moment: another try would only be counted.
  return { kind: status >= 500 && status !== TOO_MANY ? 'away' : 'refused', code: known, sentence }
}
