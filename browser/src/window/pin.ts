/**
 * Hands on what the vault asks the center about 간편비밀번호, and the answer (security B2, B8).
 *
 * Everything here is blinded, signed or public: this page can neither use it nor learn a PIN from it.
 */

import { type PinFromCenter, type PinFromVault, type PinRequest, NOTHING, pinTold, type PinTold } from '../vault/pin_messages.ts'

const CODE = /^[a-z0-9-]{1,64}$/

/** The message that answers a request of the vault. */
export async function pinned({ id, turn, ask }: PinFromVault): Promise<PinFromCenter> {
  return { kind: 'pinned', id, turn, told: await carried(ask) }
}

async function carried(ask: PinRequest): Promise<PinTold> {
  const { act, ...fields } = ask
  const csrf = token()
  try {
    const response = await fetch(`/management/pin/${act}`, {
      method: 'POST',
      headers: { Accept: 'application/json', 'X-Ingam-CSRF': csrf },
      body: new URLSearchParams({ ...Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, String(value)])), csrf }),
      cache: 'no-store',
      redirect: 'error',
      // A proof is worth its way also where the page goes on at once.
      keepalive: true,
    })
    const told = (await response.json()) as Record<string, unknown>
    return response.ok ? answer(told) : { ...NOTHING, code: codeOf(told) }
  } catch {
    return { ...NOTHING, code: 'outage' }
  }
}

/** Only what an answer may hold. Throws MessageRefused where a part of it is not of its form. */
function answer(told: Record<string, unknown>): PinTold {
  const names = Object.keys(NOTHING)
  return pinTold(Object.fromEntries(names.map((name) => [name, told[name] ?? null])))
}

function codeOf({ code }: Record<string, unknown>): string {
  return typeof code === 'string' && CODE.test(code) ? code : 'outage'
}

/** Every page of a session has the token in its forms. */
function token(): string {
  const section = document.querySelector<HTMLElement>('[data-csrf]')
  return section?.dataset['csrf'] ?? document.querySelector<HTMLInputElement>('input[name="csrf"]')?.value ?? ''
}
