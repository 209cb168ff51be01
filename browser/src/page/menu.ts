// The phone's menu is a plain <details>; Escape closes it and gives the focus back.

export function startMenu(root: Document): void {
  const menu = root.querySelector<HTMLDetailsElement>('details.phone-menu');
  if (menu === null) return;
  root.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape' || !menu.open) return;
    menu.open = false;
    menu.querySelector('summary')?.focus();
  });
}
