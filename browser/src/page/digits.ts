// Fields of digits keep digits only, whatever was pasted: "482-913", full-width numbers, or a whole message with one code.

/** The digits of a text, at most `most` of them; full-width digits count. */
export function digitsOf(text: string, most: number): string {
  return text.normalize('NFKC').replace(/\D/gu, '').slice(0, most);
}

export function startDigits(root: ParentNode): void {
  for (const field of root.querySelectorAll<HTMLInputElement>('input[data-digits]')) {
    const most = Number(field.dataset['digits']);
    field.addEventListener('paste', (event) => {
      const pasted = event.clipboardData?.getData('text') ?? '';
      event.preventDefault();
      field.value = digitsOf(pasted, most);
      field.dispatchEvent(new Event('input', { bubbles: true }));
    });
    field.addEventListener('input', (event) => {
      // A Korean input method composes even digits; the text is left alone until it is done.
      if (event instanceof InputEvent && event.isComposing) return;
      const clean = digitsOf(field.value, most);
      if (clean !== field.value) field.value = clean;
    });
  }
}
