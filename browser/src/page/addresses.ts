// 주소찾기: a dialog with a search of our own server, a list to choose from, and pages. The chosen address is put into the
// form; without a script, or when the search is down, the address is typed.

const TRUE_STEP = 409;
const NOT_LOGGED_IN = 401;
const PAGE = 10;
const PAGES_MOST = 100;

interface Address {
  readonly road: string;
  readonly jibun: string;
  readonly zip5: string;
}

interface Found {
  readonly total: number;
  readonly page: number;
  readonly addresses: readonly Address[];
}

export function startAddresses(root: Document): void {
  const dialog = root.querySelector<HTMLDialogElement>('dialog[data-addresses]');
  const button = root.querySelector<HTMLButtonElement>('[data-find-address]');
  if (dialog === null || button === null || typeof dialog.showModal !== 'function') return;
  new Addresses(dialog).start(button);
}

class Addresses {
  readonly #dialog: HTMLDialogElement;
  readonly #form: HTMLFormElement;
  #keyword = '';
  #page = 1;
  /** Answers of a search that was followed by another one count no more. */
  #asked = 0;

  constructor(dialog: HTMLDialogElement) {
    this.#dialog = dialog;
    this.#form = dialog.querySelector('form')!;
  }

  start(button: HTMLButtonElement): void {
    button.hidden = false;
    button.addEventListener('click', () => this.#dialog.showModal());
    this.#one('[data-addresses-close]').addEventListener('click', () => this.#dialog.close());
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#keyword = this.#input.value;
      void this.#search(1);
    });
    for (const way of this.#dialog.querySelectorAll<HTMLElement>('[data-page]')) {
      way.addEventListener('click', () => {
        if (way.getAttribute('aria-disabled') !== 'true') void this.#search(this.#page + Number(way.dataset['page']));
      });
    }
  }

  async #search(page: number): Promise<void> {
    this.#asked += 1;
    const asked = this.#asked;
    this.#say(this.#text('searching'));
    try {
      const found = await this.#found(page);
      if (found !== null && asked === this.#asked) this.#show(found);
    } catch (failure) {
      if (asked === this.#asked) this.#fail(failure instanceof Answer ? failure.message : this.#text('unsent'));
    }
  }

  async #found(page: number): Promise<Found | null> {
    const fields = new FormData(this.#form);
    fields.set('keyword', this.#keyword);
    fields.set('page', String(page));
    const response = await fetch(this.#dialog.dataset['addresses'] ?? '', {
      method: 'POST',
      headers: { Accept: 'application/json', 'X-Ingam-CSRF': String(fields.get('csrf') ?? '') },
      body: new URLSearchParams([...fields].map(([name, value]) => [name, String(value)])),
      cache: 'no-store',
      redirect: 'error',
    });
    if (response.status === TRUE_STEP || response.status === NOT_LOGGED_IN) {
      location.replace((this.#dialog.dataset['addresses'] ?? '').replace(/\/[a-z]+$/, ''));
      return null;
    }
    const told = (await response.json()) as Partial<Found> & { message?: unknown };
    if (!response.ok) throw new Answer(typeof told.message === 'string' ? told.message : this.#text('unsent'));
    return { total: told.total ?? 0, page: told.page ?? page, addresses: told.addresses ?? [] };
  }

  #show({ total, page, addresses }: Found): void {
    const pages = Math.min(PAGES_MOST, Math.ceil(total / PAGE));
    this.#page = page;
    this.#say(total === 0 ? this.#text('none') : this.#text('found').replace('{n}', String(total)));
    this.#list(addresses);
    const row = this.#one('.addresses-pages');
    row.hidden = pages < 2;
    row.querySelector('span')!.textContent = this.#text('page').replace('{n}', String(page)).replace('{all}', String(pages));
    // The one that has the focus must not go away: it stays, and does nothing at the end.
    for (const way of row.querySelectorAll<HTMLElement>('[data-page]')) {
      const to = page + Number(way.dataset['page']);
      way.setAttribute('aria-disabled', String(to < 1 || to > pages));
    }
    this.#dialog.querySelector('.addresses-list')?.scrollTo({ top: 0 });
  }

  #fail(text: string): void {
    this.#list([]);
    this.#one('.addresses-pages').hidden = true;
    this.#say(text, true);
    this.#input.focus();
  }

  #list(addresses: readonly Address[]): void {
    const rows = addresses.map((address) => {
      const row = document.createElement('li');
      const button = document.createElement('button');
      button.type = 'button';
      button.append(part('strong', address.road), part('span', `(${address.zip5}) ${address.jibun}`.trim()));
      button.addEventListener('click', () => this.#choose(address));
      row.append(button);
      return row;
    });
    this.#one('.addresses-list').replaceChildren(...rows);
  }

  #choose({ zip5, road }: Address): void {
    this.#dialog.close();
    fill('zip5', zip5);
    fill('road', road);
    document.getElementById('detail')?.focus();
  }

  #say(text: string, wrong = false): void {
    const place = this.#one('.addresses-word');
    place.textContent = text;
    place.classList.toggle('error', wrong);
  }

  #text(name: string): string {
    return this.#dialog.getAttribute(`data-say-${name}`) ?? '';
  }

  get #input(): HTMLInputElement {
    return this.#one<HTMLInputElement>('#keyword');
  }

  #one<T extends HTMLElement = HTMLElement>(selector: string): T {
    return this.#dialog.querySelector<T>(selector)!;
  }
}

/** The server's own sentence. */
class Answer extends Error {}

function part(name: 'strong' | 'span', text: string): HTMLElement {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}

function fill(id: string, text: string): void {
  const field = document.getElementById(id);
  if (!(field instanceof HTMLInputElement)) return;
  field.value = text;
  field.closest('.field')?.classList.remove('wrong');
  field.removeAttribute('aria-invalid');
}
