// The error summary takes the focus when the page opens; its links go to the field itself, not only near it.

export function startSummary(root: Document): void {
  const summary = root.querySelector<HTMLElement>('[data-error-summary]');
  if (summary === null) return;
  summary.focus();
  summary.addEventListener('click', (event) => {
    if (!(event.target instanceof HTMLAnchorElement)) return;
    const named = document.getElementById(event.target.hash.slice(1));
    const field = named instanceof HTMLFieldSetElement ? named.querySelector('input:not([disabled])') : named;
    if (!(field instanceof HTMLElement)) return;
    event.preventDefault();
    field.focus();
    named?.scrollIntoView({ block: 'center' });
  });
}
