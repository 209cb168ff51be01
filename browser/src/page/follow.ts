// A page that shows what happens elsewhere comes anew when that has changed: its element names an address to ask
// (`data-follow`) and what that last said (`data-pulse`). Without script there is a link to do the same.

const PACE_MS = 1000;

export function startFollow(root: Document): void {
  const shown = root.querySelector<HTMLElement>('[data-follow]');
  const address = shown?.dataset['follow'];
  if (shown === null || shown === undefined || address === undefined) return;
  const look = async (): Promise<void> => {
    if (root.visibilityState === 'visible' && (await pulseAt(address, shown.dataset['pulse'])) !== shown.dataset['pulse']) {
      location.reload();
      return;
    }
    setTimeout(() => void look(), PACE_MS);
  };
  setTimeout(() => void look(), PACE_MS);
}

/** What the address says now; `last` where it says nothing. */
async function pulseAt(address: string, last: string | undefined): Promise<string | undefined> {
  try {
    const answer = await fetch(address, { headers: { accept: 'application/json' } });
    const told: unknown = answer.ok ? await answer.json() : null;
    return typeof told === 'object' && told !== null && 'pulse' in told && typeof told.pulse === 'string' ? told.pulse : last;
  } catch {
    return last;
  }
}
