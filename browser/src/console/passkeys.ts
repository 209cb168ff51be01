// Forms that a passkey answers: `<form data-passkey="use|make|sign">` with a hidden field `answer` (security G1, G3).
//
// `use` and `make` ask the server for options (`data-options`); `sign` has them from the page (`data-given`), because the
// challenge is the hash of what the page shows. What came of it is submitted; where it ends otherwise, the page says so.

import { createCredential, type CreationOptions, type RequestOptions, useCredential, WebAuthnFailed } from '../pure/webauthn.ts';

interface Told {
  readonly options: unknown;
  readonly who?: string;
}

export function startPasskeys(root: Document): void {
  for (const form of root.querySelectorAll<HTMLFormElement>('form[data-passkey]')) attach(form);
}

function attach(form: HTMLFormElement): void {
  takeFromHash(form);
  let answered = false;
  let open = false;
  form.addEventListener(
    'submit',
    (event) => {
      if (answered || !byPasskey(event.submitter)) return;
      // Before anything else on the page sees it: to them this is no submission yet.
      event.preventDefault();
      event.stopImmediatePropagation();
      if (open) return;
      open = true;
      void asked(form).then((done) => {
        open = false;
        if (!done) return;
        answered = true;
        form.requestSubmit(event.submitter);
      });
    },
    { capture: true },
  );
  // Back in the browser shows the page as it was left: what was signed then is of no use any more.
  window.addEventListener('pageshow', () => {
    answered = false;
    put(form, 'answer', '');
  });
}

/** A button that needs no passkey (거절) says so. */
function byPasskey(button: HTMLElement | null): boolean {
  return button?.dataset['passkey'] !== 'none';
}

async function asked(form: HTMLFormElement): Promise<boolean> {
  failed(form, '');
  tell(form, form.dataset['working'] ?? '');
  try {
    const told = await optionsOf(form);
    if (told.who !== undefined) tell(form, `${told.who} · ${form.dataset['working'] ?? ''}`);
    const answer =
      form.dataset['passkey'] === 'make'
        ? await createCredential(told.options as CreationOptions)
        : await useCredential(told.options as RequestOptions);
    put(form, 'answer', JSON.stringify(answer));
    return true;
  } catch (failure) {
    tell(form, '');
    failed(form, failure instanceof WebAuthnFailed || failure instanceof NotAsked ? failure.code : 'webauthn-unavailable');
    return false;
  }
}

/** The server refused to ask. */
class NotAsked extends Error {
  readonly code: string;
  readonly text: string;

  constructor(code: string, text: string) {
    super(code);
    this.code = code;
    this.text = text;
  }
}

async function optionsOf(form: HTMLFormElement): Promise<Told> {
  const given = form.dataset['given'];
  if (given !== undefined) return { options: JSON.parse(given) };
  const fields = new URLSearchParams();
  for (const name of ['csrf', 'token', 'code']) {
    const field = form.elements.namedItem(name);
    if (field instanceof HTMLInputElement) fields.set(name, field.value);
  }
  const response = await fetch(form.dataset['options'] ?? '', {
    method: 'POST',
    body: fields,
    headers: { Accept: 'application/json' },
  });
  const body = (await response.json()) as Told & { readonly code?: string; readonly message?: string };
  if (!response.ok) throw new NotAsked(body.code ?? 'refused', body.message ?? '');
  return body;
}

/** An enrolment link's secret stands behind `#`, which browsers send to nobody; it leaves the address bar at once. */
function takeFromHash(form: HTMLFormElement): void {
  const field = form.querySelector<HTMLInputElement>('input[data-from-hash]');
  if (field === null || location.hash.length < 2) return;
  field.value = location.hash.slice(1);
  history.replaceState(null, '', location.pathname);
}

function tell(form: HTMLFormElement, text: string): void {
  const place = form.querySelector<HTMLElement>('[data-passkey-told]');
  if (place !== null) place.textContent = text;
}

/** Shows the sentence of this code, which the server wrote into the page; of an unknown one the general sentence. */
function failed(form: HTMLFormElement, code: string): void {
  const sentences = [...form.querySelectorAll<HTMLElement>('[data-passkey-failed]')];
  const known = sentences.some((one) => one.dataset['passkeyFailed'] === code);
  for (const one of sentences) {
    one.hidden = one.dataset['passkeyFailed'] !== (known || code === '' ? code : 'webauthn-unavailable');
    if (!one.hidden) one.setAttribute('role', 'alert');
  }
}

function put(form: HTMLFormElement, name: string, value: string): void {
  const field = form.elements.namedItem(name);
  if (field instanceof HTMLInputElement) field.value = value;
}
