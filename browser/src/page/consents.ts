// 전체동의: one box that ticks all documents of its list, and says whether all, some or none are ticked.

export function startConsents(root: ParentNode): void {
  for (const list of root.querySelectorAll<HTMLElement>('[data-consents]')) {
    const line = list.querySelector<HTMLElement>('[data-consent-all]');
    const all = line?.querySelector<HTMLInputElement>('input');
    if (line === null || all === null || all === undefined) continue;
    watch(all, [...list.querySelectorAll<HTMLInputElement>('input[type=checkbox][name]')]);
    line.hidden = false;
  }
}

function watch(all: HTMLInputElement, boxes: readonly HTMLInputElement[]): void {
  const tell = (): void => {
    const ticked = boxes.filter((box) => box.checked).length;
    all.checked = ticked === boxes.length;
    all.indeterminate = ticked > 0 && ticked < boxes.length;
  };
  all.addEventListener('change', () => {
    for (const box of boxes) box.checked = all.checked;
    all.indeterminate = false;
  });
  for (const box of boxes) box.addEventListener('change', tell);
  // The back button brings ticks back without an event.
  window.addEventListener('pageshow', tell);
  tell();
}
