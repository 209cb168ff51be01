/**
 * Forms whose secret fields leave sealed: every `form[data-keypad]` of a center page (security E12).
 *
 * One keypad session of the center serves all fields of a form, for one sending. It is asked for when the first of them
 * is entered. A form that cannot be sealed is not sent; nothing is ever sent plain instead.
 */

import { setBusy, setIdle } from '../page/busy.ts'
import { el } from '../vault/dom.ts'
import { toBase64 } from '../vault/base64.ts'
import type { Layout, ServerKey } from '../pure/keypad/layout.ts'
import { sealTyped } from '../pure/keypad/sealing.ts'
import { Keypad } from './keypad.ts'
import { ServerField } from './server_field.ts'
import { type Told, told } from './told.ts'
import { type Say, saying } from './words.ts'

/** A session of the center is not begun anew when this little of its time is left. */
const SPARE_S = 60

export function startKeypads(root: ParentNode): void {
  for (const form of root.querySelectorAll<HTMLFormElement>('form[data-keypad]')) new SealedForm(form, saying())
}

/** The center's refusal, in its words. */
class Refused extends Error {}

/** The login is over: the server says so itself once the form comes. */
class Over extends Error {}

class SealedForm {
  readonly #form: HTMLFormElement
  readonly #say: Say
  readonly #fields = new Map<string, ServerField>()
  readonly #keypads: Keypad<ServerKey>[] = []
  readonly #alert = el('p', { class: 'error', role: 'alert', hidden: true })
  #asked: { readonly told: Promise<Told>; readonly at: number } | null = null
  #ready: ReadonlyMap<string, string> | null = null
  #sealing = false

  constructor(form: HTMLFormElement, say: Say) {
    this.#form = form
    this.#say = say
    for (const input of form.querySelectorAll<HTMLInputElement>('.secret input')) this.#take(input)
    form.querySelector('.actions')?.before(this.#alert)
    form.addEventListener('focusin', (event) => {
      if (event.target instanceof HTMLInputElement && this.#fields.has(event.target.name)) this.#told().catch(() => undefined)
    })
    form.addEventListener('submit', (event) => this.#leaves(event), { capture: true })
    form.addEventListener('formdata', (event) => this.#fill(event.formData))
    // The back button may show the page as it was left; its keypad is spent.
    window.addEventListener('pageshow', (event) => {
      if (event.persisted) this.#anew()
    })
  }

  #take(input: HTMLInputElement): void {
    const field = new ServerField(input)
    this.#fields.set(input.name, field)
    const box = this.#form.querySelector<HTMLInputElement>(`input[data-keypad-for="${input.id}"]`)
    const line = box?.closest<HTMLElement>('.keypad')
    if (box === null || line === null || line === undefined) return
    const reveal = this.#form.querySelector<HTMLButtonElement>(`button[data-reveal="${input.id}"]`)
    const keypad = new Keypad<ServerKey>({
      field,
      box,
      label: box.dataset['keypadLabel'] ?? '',
      kind: input.inputMode === 'numeric' ? 'digits' : 'text',
      open: box.dataset['keypadOpen'] !== undefined,
      say: this.#say,
      layout: () => this.#layout(input.name),
      turned: (on) => {
        if (on) input.type = 'password'
        if (reveal !== null) reveal.hidden = on
      },
    })
    this.#keypads.push(keypad)
    line.after(keypad.element)
    line.hidden = false
  }

  async #layout(name: string): Promise<Layout<ServerKey>> {
    const layout = (await this.#told()).fields.get(name)
    if (layout === undefined) throw new TypeError('no keypad for this field')
    return layout
  }

  /** The form's keypad session; another one where it is nearly over and no key of it was pressed. */
  #told(): Promise<Told> {
    const now = performance.now()
    if (this.#asked !== null && now < this.#asked.at) return this.#asked.told
    const pressed = [...this.#fields.values()].some((field) => field.typed().some((one) => 'key' in one))
    if (this.#asked !== null && pressed) return this.#asked.told
    const asked = { told: this.#ask(), at: Infinity }
    this.#asked = asked
    asked.told.then(
      (one) => (asked.at = now + (one.ttl - SPARE_S) * 1000),
      () => (this.#asked = null),
    )
    return asked.told
  }

  async #ask(): Promise<Told> {
    const csrf = new FormData(this.#form).get('csrf')
    const response = await fetch('/keypad', {
      method: 'POST',
      headers: { Accept: 'application/json' },
      body: new URLSearchParams({ csrf: String(csrf), flow: this.#form.dataset['keypad'] ?? '' }),
      redirect: 'error',
    })
    if (response.status === 401) throw new Over()
    const answer: unknown = await response.json()
    if (!response.ok) throw new Refused(String((answer as { message?: unknown }).message ?? this.#say('unsent')))
    return told(answer)
  }

  #leaves(event: SubmitEvent): void {
    // Sealed: this is the sending. Another button than the form's own (이전, 재전송) needs nothing that is secret.
    if (this.#ready !== null || event.submitter?.hasAttribute('formaction') === true) return
    event.preventDefault()
    event.stopImmediatePropagation()
    if (this.#sealing) return
    this.#sealing = true
    setBusy(this.#form, event.submitter)
    void this.#send(event.submitter).finally(() => (this.#sealing = false))
  }

  async #send(submitter: HTMLElement | null): Promise<void> {
    this.#warn('')
    try {
      const session = await this.#told()
      const sealed = new Map([['keypad', session.keypad]])
      for (const [field, one] of this.#fields) {
        if (!session.fields.has(field)) continue
        const where = { keypad: session.keypad, flow: session.flow, field }
        sealed.set(`${field}_sealed`, toBase64(await sealTyped(session.public, one.typed(), where)))
      }
      this.#ready = sealed
    } catch (failure) {
      if (!(failure instanceof Over)) {
        setIdle(this.#form)
        return this.#warn(this.#why(failure))
      }
      this.#ready = new Map()
    }
    for (const field of this.#fields.values()) field.forget()
    // While the first submit event is still on its way a second one is dropped (HTML, "firing submission events"), and
    // all of the above may have happened within it. This one is no second press: it takes over what the first one began.
    setTimeout(() => {
      this.#form.removeAttribute('aria-busy')
      this.#form.requestSubmit(submitter)
    })
  }

  #why(failure: unknown): string {
    if (failure instanceof Refused) return failure.message
    return this.#say(navigator.onLine ? 'unsent' : 'lost')
  }

  #warn(text: string): void {
    this.#alert.textContent = text
    this.#alert.hidden = text === ''
  }

  /** What really leaves: blobs of one length, and no field as it was typed. */
  #fill(data: FormData): void {
    for (const name of this.#fields.keys()) data.delete(name)
    for (const [name, value] of this.#ready ?? []) data.set(name, value)
  }

  #anew(): void {
    this.#asked = null
    this.#ready = null
    for (const field of this.#fields.values()) field.empty()
    for (const keypad of this.#keypads) keypad.redraw()
  }
}
