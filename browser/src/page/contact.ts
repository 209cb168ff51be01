// ④고객정보입력: a provider of e-mail from a list instead of typing it, and 없음 for a telephone at home.

export function startContact(root: Document): void {
  const form = root.querySelector<HTMLFormElement>('form[data-details]');
  if (form === null) return;
  providers(form);
  for (const box of form.querySelectorAll<HTMLInputElement>('input[data-none]')) none(form, box);
}

function providers(form: HTMLFormElement): void {
  const list = form.querySelector<HTMLSelectElement>('select[data-domains]');
  const typed = form.elements.namedItem('email_domain');
  if (list === null || !(typed instanceof HTMLInputElement)) return;
  list.hidden = false;
  const settle = (): void => {
    typed.readOnly = list.value !== '';
  };
  list.addEventListener('change', () => {
    typed.value = list.value;
    settle();
    if (list.value === '') typed.focus();
  });
  settle();
}

function none(form: HTMLFormElement, box: HTMLInputElement): void {
  const field = form.elements.namedItem(box.dataset['none'] ?? '');
  if (!(field instanceof HTMLInputElement)) return;
  const settle = (): void => {
    field.readOnly = box.checked;
  };
  box.addEventListener('change', () => {
    if (box.checked) field.value = '';
    settle();
  });
  settle();
}
