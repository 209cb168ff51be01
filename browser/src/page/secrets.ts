// Show and hide of a password field. It is hidden again before the form leaves, so that no browser offers to remember
// it as plain text.

export function startSecrets(root: ParentNode): void {
  for (const button of root.querySelectorAll<HTMLButtonElement>('button[data-reveal]')) {
    const field = document.getElementById(button.dataset['reveal'] ?? '');
    if (!(field instanceof HTMLInputElement)) continue;
    button.hidden = false;
    button.addEventListener('click', () => {
      turn(button, field, field.type === 'password');
      field.focus();
    });
    field.form?.addEventListener('submit', () => turn(button, field, false));
  }
}

function turn(button: HTMLButtonElement, field: HTMLInputElement, shown: boolean): void {
  const { show = '', hide = '', showLabel = '', hideLabel = '' } = button.dataset;
  field.type = shown ? 'text' : 'password';
  button.textContent = shown ? hide : show;
  button.setAttribute('aria-label', shown ? hideLabel : showLabel);
  button.setAttribute('aria-pressed', String(shown));
}
