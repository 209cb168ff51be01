// Says at once what is wrong with a field that has been left: by the rules of the server, in the words that the server
// wrote into the input's attributes. It never keeps a form from leaving; the server decides.

import { check, isRule, koreanToday } from '../pure/fields.ts';

export function startFields(root: ParentNode): void {
  for (const input of root.querySelectorAll<HTMLInputElement>('input[data-field]')) {
    if (isRule(input.dataset['field'] ?? '')) watch(input);
  }
}

function watch(input: HTMLInputElement): void {
  input.addEventListener('blur', () => look(input));
  input.addEventListener('input', (event) => {
    // While a Korean letter is being put together, and while nothing is wrong, typing is left in peace.
    if (event instanceof InputEvent && event.isComposing) return;
    if (input.getAttribute('aria-invalid') === 'true') look(input);
  });
}

/** An empty field says nothing: nobody has begun. A read-only one was filled in by the server; a masked one shows dots. */
function look(input: HTMLInputElement): void {
  if (input.readOnly || input.disabled || input.dataset['masked'] !== undefined) return;
  const empty = input.value.trim() === '';
  const { error, warning } = check(input.dataset['field'] ?? '', input.value, koreanToday(new Date()));
  const text = empty ? null : saidOf(input, error ?? warning);
  show(input, text, !empty && error !== null);
}

function saidOf(input: HTMLInputElement, key: string | null): string | null {
  return key === null ? null : input.getAttribute(`data-said-${key.replaceAll('_', '-')}`);
}

function show(input: HTMLInputElement, text: string | null, wrong: boolean): void {
  const field = input.closest('.field');
  const id = `${input.id}-error`;
  const note = document.getElementById(id) ?? (text === null || field === null ? null : added(field, id));
  if (note !== null) {
    note.hidden = text === null;
    if (note.textContent !== text) note.textContent = text ?? '';
  }
  field?.classList.toggle('wrong', wrong);
  if (wrong) input.setAttribute('aria-invalid', 'true');
  else input.removeAttribute('aria-invalid');
  describe(input, id, text !== null && note !== null);
}

function added(field: Element, id: string): HTMLElement {
  const note = document.createElement('p');
  note.className = 'error';
  note.id = id;
  const row = field.querySelector('.field-row');
  if (row === null) field.append(note);
  else row.after(note);
  return note;
}

function describe(input: HTMLInputElement, id: string, on: boolean): void {
  const ids = (input.getAttribute('aria-describedby') ?? '').split(' ').filter((one) => one !== '' && one !== id);
  if (on) ids.push(id);
  if (ids.length > 0) input.setAttribute('aria-describedby', ids.join(' '));
  else input.removeAttribute('aria-describedby');
}
