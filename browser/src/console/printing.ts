// What is printed: a button that opens the browser's print window for the slip that the page shows.

export function startPrinting(root: Document): void {
  for (const button of root.querySelectorAll<HTMLButtonElement>('button[data-print]')) {
    button.hidden = false;
    button.addEventListener('click', () => window.print());
  }
}
