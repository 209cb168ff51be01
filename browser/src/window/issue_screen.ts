/** What the page itself shows while a certificate is issued: which of its texts, a word of waiting, and what failed. */

/** ⑤, ⑥, on the way, done: the values of `data-issue-shown`. */
export type Shown = 'key' | 'product' | 'issuing' | 'issued'

export interface Way {
  readonly word: string
  press(): void
}

export class IssueScreen {
  readonly #form: HTMLFormElement | null
  readonly #status = document.createElement('p')
  readonly #error = document.createElement('p')
  readonly #way = document.createElement('p')
  readonly #section: HTMLElement
  readonly #say: (name: string) => string

  constructor(section: HTMLElement, form: HTMLFormElement | null, say: (name: string) => string) {
    this.#section = section
    this.#form = form
    this.#say = say
    this.#status.className = 'issue-status'
    this.#status.setAttribute('role', 'status')
    this.#error.className = 'issue-error'
    this.#error.setAttribute('role', 'alert')
    this.#way.className = 'issue-way'
    section.replaceChildren(this.#status, this.#error, this.#way)
  }

  /** Shows what belongs to a screen and hides the rest; the form belongs to ⑥. */
  show(what: Shown): void {
    for (const each of document.querySelectorAll<HTMLElement>('[data-issue-shown]')) {
      each.hidden = each.dataset['issueShown'] !== what
    }
    if (this.#form !== null) this.#form.hidden = what !== 'product'
    this.#section.dataset['shown'] = what
    // Beside the buttons at ⑥, where the person looks; else above the frame.
    if (what === 'product' && this.#form !== null) this.#rowOf(this.#form).before(this.#error, this.#way)
    else this.#status.after(this.#error, this.#way)
  }

  /** ⑥ opens: the top of the page, and the focus at the form's first words. */
  choose(): void {
    if (this.#form === null) return
    const first = this.#form.querySelector<HTMLElement>('h2, legend, h3') ?? this.#form
    first.tabIndex = -1
    first.focus({ preventScroll: true })
    document.querySelector('main')?.scrollIntoView({ block: 'start' })
  }

  /** A word of waiting; empty takes it away. */
  wait(text: string): void {
    this.#status.textContent = text
  }

  /** Something went wrong: the sentence, and a way on where there is one. */
  fail(text: string, way: Way | null): void {
    this.wait('')
    this.#error.textContent = text
    this.#way.replaceChildren()
    // What the frame says of waiting is not true while nobody answers.
    this.#section.classList.toggle('failing', way !== null)
    if (way === null) return
    const button = document.createElement('button')
    button.type = 'button'
    button.className = 'secondary'
    button.textContent = way.word
    button.addEventListener('click', () => way.press())
    this.#way.append(button)
    button.focus()
  }

  /** What failed is being tried again, or is over. */
  clear(): void {
    this.#section.classList.remove('failing')
    this.#error.textContent = ''
    this.#way.replaceChildren()
  }

  /** Nothing is chosen at ⑥: it is this product, and the others are not shown. */
  settle(product: string): void {
    for (const each of this.#form?.querySelectorAll<HTMLInputElement>('input[name=product]') ?? []) {
      each.checked = each.value === product
      const card = each.closest<HTMLElement>('.radio-card')
      if (card !== null) card.hidden = !each.checked
    }
  }

  /** The button of ⑥ says what it costs. */
  price(): void {
    const button = this.#form?.querySelector<HTMLElement>('button.primary') ?? null
    if (this.#form === null || button === null) return
    const chosen = String(new FormData(this.#form).get('product') ?? '')
    const paid = (this.#form.dataset['paid'] ?? '').split(' ').includes(chosen)
    const text = this.#form.dataset[paid ? 'sayPaid' : 'sayFree']
    if (text !== undefined) button.dataset['idle'] = button.textContent = text
  }

  /** The button of ⑥ says that it works. */
  busy(busy: boolean): void {
    if (this.#form === null) return
    this.#form.setAttribute('aria-busy', String(busy))
    const button = this.#form.querySelector<HTMLElement>('button.primary')
    if (button === null) return
    button.dataset['idle'] ??= button.textContent ?? ''
    button.textContent = busy ? this.#say('issue-asking') : button.dataset['idle']
  }

  #rowOf(form: HTMLFormElement): Element {
    const submit = form.querySelector('button[type=submit], button:not([type])')
    const row = submit?.parentElement ?? null
    return row === null || row === form ? (submit ?? form.lastElementChild ?? form) : row
  }
}
