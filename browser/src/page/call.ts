// 2채널 인증 while the telephone rings: says how the call stands at every change, without taking the focus or touching
// what is typed elsewhere on the page. Without a script the page has a link that looks again.

import { CallStream, type ToldCall } from './call_stream.ts';

export function startCall(root: ParentNode): void {
  for (const part of root.querySelectorAll<HTMLElement>('[data-call]')) {
    offerAnother(part);
    new CallStream(part.dataset['call'] ?? '', (call) => told(part, call)).start();
  }
}

function told(part: HTMLElement, call: ToldCall): void {
  const state = String(call['state']);
  say(part, state, String(call['text']));
  if (call['over'] === true) ended(part, state);
}

/** A call of which nothing more is heard gives way to another one: some seconds after it was asked for. */
function offerAnother(part: HTMLElement): void {
  for (const each of part.querySelectorAll<HTMLElement>('[data-call-again]')) {
    const show = (): void => {
      each.hidden = part.classList.contains('approved');
    };
    setTimeout(show, Number(each.dataset['callAgain']) * 1_000);
  }
}

function say(part: HTMLElement, now: string, text: string): void {
  const state = part.querySelector<HTMLElement>('[data-call-state]');
  if (state === null || state.dataset['callState'] === now) return;
  state.dataset['callState'] = now;
  state.textContent = text;
}

/** The digits are worth nothing any more; another call may be asked for, unless this one was approved. */
function ended(part: HTMLElement, state: string): void {
  // Whoever keyed in 0 stopped the whole task: its page says so.
  if (state === 'refused' || state === 'none') return location.reload();
  const ringing = [...part.querySelectorAll<HTMLElement>('[data-call-ringing]')];
  // Whoever reads the digits goes on at what became of them, not at the top of the page.
  if (ringing.some((each) => each.contains(document.activeElement))) {
    part.querySelector<HTMLElement>('[data-call-state]')?.focus();
  }
  for (const each of ringing) each.hidden = true;
  for (const each of part.querySelectorAll<HTMLElement>('[data-call-again]')) each.hidden = state === 'approved';
  part.classList.toggle('approved', state === 'approved');
  part.classList.toggle('ended', state !== 'approved');
}
