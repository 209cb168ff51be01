// Forms that a device or a passkey signs: `<form data-device-proof="…">`, and `data-device-new` where the key is made now.
//
// Submitting asks the server what is to be signed, has it signed, puts the answer into the hidden field `device_answer`,
// and then really submits. Where it ends otherwise, the reason stands beside the button and nothing is sent.

import { words } from '../generated/page_words.ts';
import { deviceText, type DeviceChallenge } from '../pure/device.ts';
import { Refusal } from '../pure/failure.ts';
import {
  type CreationOptions,
  createCredential,
  hasPlatformAuthenticator,
  knowsWebAuthn,
  type RequestOptions,
  useCredential,
} from '../pure/webauthn.ts';
import { keyOf, makeKey, signWith } from './device_keys.ts';

const FIELD = 'device_answer';

export interface Asked extends DeviceChallenge {
  readonly kind: 'hardware' | 'software';
  readonly key?: string;
  readonly options?: CreationOptions | RequestOptions;
}

/** The server's own sentence. */
class Told extends Error {}

/** A field is wrong: the form goes to the server as it is, whose page says so beside the field. */
class FieldWrong extends Error {}

export function startDeviceProof(root: Document): void {
  for (const form of root.querySelectorAll<HTMLFormElement>('form[data-device-proof]')) attach(form);
  for (const part of root.querySelectorAll<HTMLElement>('[data-passkey]')) part.hidden = !knowsWebAuthn();
  for (const form of root.querySelectorAll<HTMLFormElement>('form[data-device-new]')) void offerKinds(form);
}

function attach(form: HTMLFormElement): void {
  const note = noteOf(form);
  let open = false;
  let filled = false;
  form.addEventListener(
    'submit',
    (event) => {
      if (filled) return;
      // Before anything else on the page sees it: to them a submission that asks a device is none.
      event.preventDefault();
      event.stopImmediatePropagation();
      if (open) return;
      open = true;
      note.textContent = '';
      note.classList.remove('failed');
      void signed(form).then(
        (answer) => {
          open = false;
          fill(form, answer);
          filled = true;
          form.requestSubmit(event.submitter);
        },
        (failure: unknown) => {
          open = false;
          if (failure instanceof FieldWrong) {
            filled = true;
            form.requestSubmit(event.submitter);
            return;
          }
          note.classList.add('failed');
          note.textContent = sentence(failure);
        },
      );
    },
    { capture: true },
  );
  // Back in the browser shows the page as it was left: what was signed then is of no use any more.
  window.addEventListener('pageshow', () => {
    filled = false;
    fill(form, '');
  });
}

async function signed(form: HTMLFormElement): Promise<string> {
  return deviceAnswer(await ask(form), form.dataset['deviceNew'] !== undefined);
}

/** What `device_answer` takes: the challenge signed by this browser's key, or by one that is made now. */
export async function deviceAnswer(asked: Asked, made = false): Promise<string> {
  if (asked.options !== undefined) {
    const webauthn = made
      ? await createCredential(asked.options as CreationOptions)
      : await useCredential(asked.options as RequestOptions);
    return JSON.stringify({ nonce: asked.nonce, key: webauthn.id, webauthn });
  }
  const text = deviceText(asked, location.origin);
  if (made) {
    const { id, point, key } = await makeKey();
    return JSON.stringify({ nonce: asked.nonce, key: id, point, signature: await signWith(key, text) });
  }
  const key = await keyOf(asked.key ?? '');
  return JSON.stringify({ nonce: asked.nonce, key: asked.key, signature: await signWith(key, text) });
}

async function ask(form: HTMLFormElement): Promise<Asked> {
  const fields = new FormData(form);
  fields.delete(FIELD);
  // What is signed needs nothing secret; that leaves once, sealed, with the form itself (E12).
  for (const secret of form.querySelectorAll<HTMLInputElement>('input[type=password]')) fields.delete(secret.name);
  const response = await fetch(form.dataset['deviceProof'] ?? '', {
    method: 'POST',
    headers: { Accept: 'application/json', 'X-Ingam-CSRF': String(fields.get('csrf') ?? '') },
    body: new URLSearchParams([...fields].map(([name, value]) => [name, String(value)])),
    cache: 'no-store',
    redirect: 'error',
  });
  const told = (await response.json()) as Partial<Asked> & { code?: string; message?: string };
  if (told.code === 'form-refused') throw new FieldWrong();
  if (!response.ok || typeof told.nonce !== 'string') throw new Told(told.message ?? '');
  return told as Asked;
}

/** The device's own key is offered where it has one; else the software key is chosen, if the institution takes it. */
async function offerKinds(form: HTMLFormElement): Promise<void> {
  const hardware = form.querySelector<HTMLInputElement>('input[name=key_kind][value=hardware]');
  if (hardware === null || (knowsWebAuthn() && (await hasPlatformAuthenticator()))) return;
  const software = form.querySelector<HTMLInputElement>('input[name=key_kind][value=software]:not(:disabled)');
  if (software === null) return;
  software.checked = true;
  hardware.disabled = true;
  hardware.closest('.radio-card')?.classList.add('unavailable');
  const hint = form.ownerDocument.getElementById(hardware.getAttribute('aria-describedby') ?? '');
  if (hint !== null && form.dataset['unavailable'] !== undefined) hint.textContent = form.dataset['unavailable'];
}

function fill(form: HTMLFormElement, answer: string): void {
  const field = form.elements.namedItem(FIELD);
  if (field instanceof HTMLInputElement) field.value = answer;
}

/** The place beside the button; there from the start, so that a screen reader tells what is written into it. */
function noteOf(form: HTMLFormElement): HTMLElement {
  const there = form.querySelector<HTMLElement>('[data-device-note]');
  if (there !== null) return there;
  const made = document.createElement('p');
  made.className = 'certificate-window-note';
  made.setAttribute('role', 'status');
  const button = document.querySelector<HTMLElement>(`button[form="${form.id}"]`);
  if (form.id !== '' && button !== null) button.after(made);
  else form.append(made);
  return made;
}

function sentence(failure: unknown): string {
  const table = words[document.documentElement.lang === 'en' ? 'en' : 'ko'] as Record<string, string>;
  const outage = table['refusal.outage'] ?? '';
  if (failure instanceof Told) return failure.message || outage;
  return failure instanceof Refusal ? (table[`refusal.${failure.code}`] ?? failure.code) : outage;
}
