// The session's time: counted in the header, offered to be prolonged in its last minute without taking the focus, ended
// at the login. Windows of the same browser tell each other, because a request in one of them keeps all alive.

import { clockFace } from './clock_face.ts';
import { type Countdown, countdown, paint } from './timers.ts';

const ENDED = '/login?ended=idle';

export function startSession(root: Document): void {
  const chip = root.querySelector<HTMLElement>('[data-session]');
  if (chip === null) return;
  const warn = Number(chip.dataset['warn']);
  const offer = root.querySelector<HTMLElement>('[data-session-offer]');
  const status = root.querySelector<HTMLElement>('[data-session-status]');
  const clockWord = chip.querySelector<HTMLElement>('[data-session-clock]') ?? chip;
  chip.querySelector<HTMLElement>('[data-session-word]')?.removeAttribute('hidden');
  const leftInOffer = root.querySelector<HTMLElement>('[data-session-left]');
  const windows = new BroadcastChannel('ingam-session');
  let warned = false;

  const clock: Countdown = countdown(Number(chip.dataset['left']), (left) => {
    const face = clockFace(left);
    clockWord.textContent = face;
    paint(chip, left);
    if (leftInOffer !== null) leftInOffer.textContent = face;
    if (offer !== null) offer.hidden = left > warn || left === 0;
    if (left > warn) warned = false;
    else if (!warned && status !== null) {
      warned = true;
      status.textContent = status.dataset['ending'] ?? '';
    }
    if (left === 0) location.replace(ENDED);
  });

  windows.addEventListener('message', (event: MessageEvent<unknown>) => {
    const left = Number(event.data);
    if (left > clock.left()) clock.restart(left);
  });
  windows.postMessage(clock.left());

  for (const form of root.querySelectorAll<HTMLFormElement>('form[data-extend]')) {
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      void prolong(form).then((left) => {
        if (left !== null) {
          clock.restart(left);
          windows.postMessage(left);
        }
        if (status !== null) status.textContent = status.dataset[wordOf(left, warn)] ?? '';
      });
    });
  }
}

/** The longest time that a session may have comes nearer whatever is pressed: that is told, not "extended". */
function wordOf(left: number | null, warn: number): 'failed' | 'last' | 'extended' {
  if (left === null) return 'failed';
  return left > warn ? 'extended' : 'last';
}

/** Asks the server for more time; the seconds it gives, or null where it does not. */
async function prolong(form: HTMLFormElement): Promise<number | null> {
  const fields = new FormData(form);
  try {
    const response = await fetch(form.action, {
      method: 'POST',
      headers: { Accept: 'application/json', 'X-Ingam-CSRF': String(fields.get('csrf')) },
      body: new URLSearchParams({ csrf: String(fields.get('csrf')) }),
      redirect: 'error',
    });
    const answer: unknown = await response.json();
    if (!response.ok || typeof answer !== 'object' || answer === null) return null;
    const left = Number((answer as Record<string, unknown>)['left']);
    return Number.isFinite(left) && left > 0 ? left : null;
  } catch {
    return null;
  }
}
