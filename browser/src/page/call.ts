// 2채널 인증 while the telephone rings: looks once a second how the call stands and says it, without taking the focus or
// touching what is typed elsewhere on the page. Without a script the page has a link that looks again.

const LOOK_MS = 1_000;
const TRIES = 10;

interface Call {
  readonly state: string;
  readonly over: boolean;
  readonly text: string;
}

export function startCall(root: ParentNode): void {
  for (const part of root.querySelectorAll<HTMLElement>('[data-call]')) follow(part);
}

function follow(part: HTMLElement): void {
  const address = part.dataset['call'] ?? '';
  let failed = 0;
  const look = async (): Promise<void> => {
    const call = await asked(address);
    failed = call === null ? failed + 1 : 0;
    if (call !== null) say(part, call);
    if (call?.over === true) return ended(part, call);
    if (failed < TRIES) setTimeout(() => void look(), LOOK_MS);
  };
  setTimeout(() => void look(), LOOK_MS);
}

async function asked(address: string): Promise<Call | null> {
  try {
    const response = await fetch(address, { headers: { Accept: 'application/json' }, cache: 'no-store', redirect: 'error' });
    return response.ok ? ((await response.json()) as Call) : null;
  } catch {
    return null;
  }
}

function say(part: HTMLElement, call: Call): void {
  const state = part.querySelector<HTMLElement>('[data-call-state]');
  if (state === null || state.dataset['callState'] === call.state) return;
  state.dataset['callState'] = call.state;
  state.textContent = call.text;
}

/** The digits are worth nothing any more; another call may be asked for, unless this one was approved. */
function ended(part: HTMLElement, call: Call): void {
  // Whoever keyed in 0 stopped the whole task: its page says so.
  if (call.state === 'refused' || call.state === 'none') return location.reload();
  for (const each of part.querySelectorAll<HTMLElement>('[data-call-ringing]')) each.hidden = true;
  for (const each of part.querySelectorAll<HTMLElement>('[data-call-again]')) each.hidden = call.state === 'approved';
  part.classList.toggle('approved', call.state === 'approved');
  part.classList.toggle('ended', call.state !== 'approved');
}
