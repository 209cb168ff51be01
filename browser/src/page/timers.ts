// Chips that count down. The server says how many seconds are left (`data-left`), so that a device whose clock is wrong
// still counts right; the last thirty seconds are amber, then a word says that the time is over.

import { clockFace } from './clock_face.ts';

const LATE_S = 30;

export interface Countdown {
  /** Seconds left now; never negative. */
  left(): number;
  /** Starts again from so many seconds. */
  restart(seconds: number): void;
}

/** Counts from `seconds` and calls `tick` with what is left, once a second and whenever the page is looked at again. */
export function countdown(seconds: number, tick: (left: number) => void): Countdown {
  // Date.now, not performance.now: a laptop that slept must not find its old time left.
  let end = Date.now() + seconds * 1000;
  const left = (): number => Math.max(0, (end - Date.now()) / 1000);
  const show = (): void => tick(left());
  const beat = setInterval(() => {
    show();
    if (left() === 0) clearInterval(beat);
  }, 1000);
  document.addEventListener('visibilitychange', show);
  show();
  return {
    left,
    restart(fresh) {
      end = Date.now() + fresh * 1000;
      show();
    },
  };
}

/** How late it is, as classes of the chip. */
export function paint(chip: HTMLElement, left: number): void {
  chip.classList.toggle('late', left <= LATE_S && left > 0);
  chip.classList.toggle('over', left === 0);
}

export function startTimers(root: ParentNode): void {
  for (const chip of root.querySelectorAll<HTMLElement>('[data-until][data-left]')) {
    const face = chip.querySelector<HTMLElement>('[data-clock]') ?? chip;
    countdown(Number(chip.dataset['left']), (left) => {
      face.textContent = left > 0 ? clockFace(left) : (chip.dataset['over'] ?? '');
      paint(chip, left);
    });
  }
}
