// ②신분증 촬영: `<form data-card>`. First the card is taken – by the camera, or as a file –, then what was read of it is
// corrected and posted like any form. Every word comes from the page (`data-say-…`) or from the server.

import { Camera, jpegOfFile } from './camera.ts';
import type { Sight } from './card_sight.ts';

const STEADY = 4;
const TRUE_STEP = 409;
const NOT_LOGGED_IN = 401;

type Stage = 'take' | 'fields';

interface Read {
  readonly fields: Readonly<Record<string, string>>;
  readonly unsure: readonly string[];
}

export function startIdCard(root: Document): void {
  const form = root.querySelector<HTMLFormElement>('form[data-card]');
  if (form !== null) new IdCard(form).start();
}

class IdCard {
  readonly #form: HTMLFormElement;
  readonly #camera: Camera;
  #good = 0;
  /** The shutter goes off by itself until a photograph of its own could not be read. */
  #auto = true;
  #busy = false;
  #able = 'mediaDevices' in navigator && typeof navigator.mediaDevices.getUserMedia === 'function';

  constructor(form: HTMLFormElement) {
    this.#form = form;
    this.#camera = new Camera(this.#one<HTMLVideoElement>('video'), (sight) => this.#see(sight));
  }

  start(): void {
    this.#on('[data-shoot]', () => void this.#shutter());
    this.#on('[data-retake]', () => this.#show('take'));
    this.#on('[data-torch]', () => void this.#torch());
    this.#file.addEventListener('change', () => void this.#chosen());
    for (const radio of this.#form.querySelectorAll('input[name=kind]')) radio.addEventListener('change', () => this.#turned());
    // Nobody looks: no camera. It is opened again by the same button.
    window.addEventListener('pagehide', () => this.#close());
    document.addEventListener('visibilitychange', () => {
      if (document.hidden) this.#close();
    });
    this.#kinds();
    if (!this.#able) this.#without('none');
    else if (this.#form.dataset['stage'] === 'take') void this.#openIfAllowed();
  }

  // the camera

  async #openIfAllowed(): Promise<void> {
    try {
      const asked = await navigator.permissions.query({ name: 'camera' as PermissionName });
      if (asked.state === 'granted') await this.#open();
    } catch {
      // Some browsers do not say; the button asks.
    }
  }

  async #open(): Promise<void> {
    this.#word('starting');
    try {
      await this.#camera.start();
    } catch (failure) {
      this.#camera.stop();
      const refused = failure instanceof DOMException && failure.name === 'NotAllowedError';
      return this.#without(refused ? 'refused' : 'none');
    }
    this.#finder.classList.add('live');
    this.#one('[data-torch]').hidden = !this.#camera.hasTorch;
    this.#button('shoot');
    if (!this.#auto) this.#word('by-hand');
  }

  #close(): void {
    if (!this.#camera.open) return;
    this.#camera.stop();
    this.#finder.classList.remove('live', 'good');
    this.#one('[data-torch]').hidden = true;
    if (!this.#busy) this.#button('start');
  }

  /** There is no camera: the button opens the file chooser, which on a telephone is a camera too. */
  #without(why: 'none' | 'refused'): void {
    this.#able = false;
    this.#word(why);
    this.#button('upload');
    this.#one('[data-by-file]').hidden = true;
    this.#finder.hidden = true;
  }

  async #torch(): Promise<void> {
    const button = this.#one('[data-torch]');
    const on = button.getAttribute('aria-pressed') !== 'true';
    await this.#camera.torch(on).then(
      () => button.setAttribute('aria-pressed', String(on)),
      () => (button.hidden = true),
    );
  }

  #see(sight: Sight): void {
    if (this.#busy) return;
    this.#good = sight === 'good' ? this.#good + 1 : 0;
    this.#finder.classList.toggle('good', sight === 'good');
    if (this.#auto || sight !== 'good') this.#word(sight);
    else this.#word('by-hand');
    if (this.#auto && this.#good >= STEADY) void this.#take(true);
  }

  async #shutter(): Promise<void> {
    if (this.#busy) return;
    if (!this.#able) return this.#file.click();
    if (this.#camera.open) return this.#take(false);
    return this.#open();
  }

  // a photograph

  async #take(byItself: boolean): Promise<void> {
    if (byItself) this.#auto = false;
    const picture = await this.#camera.photograph();
    this.#one<HTMLVideoElement>('video').pause();
    await this.#send(picture);
  }

  async #chosen(): Promise<void> {
    const file = this.#file.files?.[0];
    this.#file.value = '';
    if (file === undefined || this.#busy) return;
    try {
      await this.#send(await jpegOfFile(file));
    } catch {
      this.#fail(this.#say('file'));
    }
  }

  async #send(picture: Blob): Promise<void> {
    this.#busy = true;
    this.#fail('');
    this.#word('reading');
    this.#finder.classList.add('reading');
    this.#form.setAttribute('aria-busy', 'true');
    try {
      const answer = await this.#posted(picture);
      if (answer !== null) this.#taken(answer);
    } catch (failure) {
      this.#fail(failure instanceof Answer ? failure.message : this.#say('unsent'));
      void this.#one<HTMLVideoElement>('video').play().catch(() => undefined);
      this.#word(this.#able ? 'by-hand' : 'none');
    } finally {
      this.#busy = false;
      this.#good = 0;
      this.#finder.classList.remove('reading');
      this.#form.removeAttribute('aria-busy');
    }
  }

  /** Null where the run stands at another step: the page that shows it is opened. */
  async #posted(picture: Blob): Promise<Read | null> {
    const query = new URLSearchParams({ kind: this.#kind, run: this.#value('run') });
    const response = await fetch(`${this.#form.dataset['card'] ?? ''}?${query}`, {
      method: 'POST',
      headers: { Accept: 'application/json', 'Content-Type': 'image/jpeg', 'X-Ingam-CSRF': this.#value('csrf') },
      body: picture,
      cache: 'no-store',
      redirect: 'error',
    });
    if (response.status === TRUE_STEP || response.status === NOT_LOGGED_IN) {
      location.replace((this.#form.dataset['card'] ?? '').replace(/\/[a-z]+$/, ''));
      return null;
    }
    const told = (await response.json()) as Partial<Read> & { message?: unknown };
    if (!response.ok) throw new Answer(typeof told.message === 'string' ? told.message : this.#say('unsent'));
    return { fields: told.fields ?? {}, unsure: told.unsure ?? [] };
  }

  #taken({ fields, unsure }: Read): void {
    this.#close();
    for (const input of this.#form.querySelectorAll<HTMLInputElement>('.read .field-row input')) {
      input.value = fields[input.name] ?? '';
      settle(input);
      const doubtful = unsure.includes(input.name) || (input.value === '' && input.getAttribute('aria-required') === 'true');
      if (doubtful && input.closest('[data-kind][hidden]') === null) this.#doubt(input);
    }
    this.#show('fields');
    this.#one('[data-card-head]').focus();
  }

  /** Points out a field that was hard to read, until it is touched. */
  #doubt(input: HTMLInputElement): void {
    const field = input.closest('.field');
    const note = document.createElement('p');
    note.className = 'unsure-note';
    note.id = `${input.id}-unsure`;
    note.textContent = this.#say('unsure');
    field?.classList.add('unsure');
    field?.append(note);
    input.setAttribute('aria-describedby', `${input.getAttribute('aria-describedby') ?? ''} ${note.id}`.trim());
    input.addEventListener('input', () => settle(input), { once: true });
  }

  // what is shown

  #show(stage: Stage): void {
    this.#form.dataset['stage'] = stage;
    for (const each of document.querySelectorAll<HTMLElement>('[data-card-shown]')) each.hidden = each.dataset['cardShown'] !== stage;
    if (stage === 'fields') return;
    if (this.#able) void this.#open();
    this.#one('[data-shoot]').focus({ preventScroll: true });
    this.#form.scrollIntoView({ block: 'start' });
  }

  /** The other card has to be photographed as well. */
  #turned(): void {
    this.#kinds();
    if (this.#form.dataset['stage'] === 'fields') this.#show('take');
  }

  #kinds(): void {
    for (const each of this.#form.querySelectorAll<HTMLElement>('[data-kind]')) each.hidden = each.dataset['kind'] !== this.#kind;
  }

  #word(name: string): void {
    const place = this.#one('[data-finder-word]');
    const text = this.#say(name);
    if (place.textContent !== text) place.textContent = text;
  }

  #fail(text: string): void {
    const place = this.#one('[data-card-error]');
    place.hidden = text === '';
    place.textContent = text;
    if (text !== '') place.scrollIntoView({ block: 'nearest' });
  }

  #button(name: 'start' | 'shoot' | 'upload'): void {
    this.#one('[data-shoot]').textContent = this.#say(name);
  }

  #say(name: string): string {
    return this.#form.getAttribute(`data-say-${name}`) ?? '';
  }

  get #kind(): string {
    return this.#form.querySelector<HTMLInputElement>('input[name=kind]:checked')?.value ?? 'resident';
  }

  get #finder(): HTMLElement {
    return this.#one('[data-finder]');
  }

  get #file(): HTMLInputElement {
    return this.#one<HTMLInputElement>('#card_file');
  }

  #value(name: string): string {
    const found = this.#form.elements.namedItem(name);
    return found instanceof HTMLInputElement ? found.value : '';
  }

  #one<T extends HTMLElement = HTMLElement>(selector: string): T {
    return this.#form.querySelector<T>(selector)!;
  }

  #on(selector: string, pressed: () => void): void {
    this.#one(selector).addEventListener('click', pressed);
  }
}

/** The server's own sentence. */
class Answer extends Error {}

/** A field was touched, or read anew: nothing about it is doubtful, nothing is wrong any more. */
function settle(input: HTMLInputElement): void {
  const field = input.closest('.field');
  field?.classList.remove('unsure', 'wrong');
  field?.querySelector('.unsure-note')?.remove();
  input.removeAttribute('aria-invalid');
  const ids = (input.getAttribute('aria-describedby') ?? '').split(' ').filter((id) => id !== '' && id !== `${input.id}-unsure`);
  if (ids.length > 0) input.setAttribute('aria-describedby', ids.join(' '));
  else input.removeAttribute('aria-describedby');
}
