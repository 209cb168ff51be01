// One press, one request: while a form is on its way a second press does nothing, and after half a second the button says
// so with a word. Nothing is disabled: a disabled button loses the focus and would drop its own name and value.

const PATIENCE_MS = 500;

export function startBusy(root: Document): void {
  root.addEventListener('submit', (event) => {
    const form = event.target;
    if (!(form instanceof HTMLFormElement) || event.defaultPrevented) return;
    if (form.getAttribute('aria-busy') === 'true') {
      event.preventDefault();
      return;
    }
    setBusy(form, event.submitter);
  });
  // The back button shows the page as it was left, perhaps out of the browser's memory: no longer busy.
  window.addEventListener('pageshow', () => {
    for (const form of root.querySelectorAll<HTMLFormElement>('form[aria-busy]')) setIdle(form);
  });
}

export function setBusy(form: HTMLFormElement, button: HTMLElement | null): void {
  form.setAttribute('aria-busy', 'true');
  const word = button?.dataset['busy'];
  if (button === null || word === undefined) return;
  setTimeout(() => {
    if (form.getAttribute('aria-busy') !== 'true') return;
    button.dataset['idle'] ??= button.textContent ?? '';
    button.textContent = word;
  }, PATIENCE_MS);
}

export function setIdle(form: HTMLFormElement): void {
  form.removeAttribute('aria-busy');
  for (const button of form.querySelectorAll<HTMLElement>('[data-idle]')) {
    button.textContent = button.dataset['idle'] ?? '';
    delete button.dataset['idle'];
  }
}
