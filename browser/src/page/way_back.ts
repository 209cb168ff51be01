// The ‹ at the top of a phone goes one step back where the page has a form for that (`#back`); else it is a link.

export function startWayBack(root: Document): void {
  const form = root.querySelector<HTMLFormElement>('form#back');
  if (form === null) return;
  root.querySelector('.phone-back')?.addEventListener('click', (event) => {
    event.preventDefault();
    form.requestSubmit();
  });
}
