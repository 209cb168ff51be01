/** The time that is left, seen each second and said aloud seldom: at one minute, thirty and ten seconds. */

import { el } from '../dom.ts'
import type { Say } from '../words.ts'

const SAID_AT = [60, 30, 10]
const TICK_MS = 250

export interface Countdown {
  readonly element: HTMLElement
  stop(): void
}

/** Seconds left until an instant of the steady clock (performance.now), rounded up, never below 0. */
export function secondsLeft(ends: number, now: number): number {
  return Math.max(0, Math.ceil((ends - now) / 1000))
}

/** `2:59`. */
export function clockFace(seconds: number): string {
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
}

/** `ends`: by performance.now. `say` keys: `copy-left` ({time}) for the eye, `copy-left-said` ({n}) for the ear. */
export function countdown(say: Say, ends: number, announce: (text: string) => void): Countdown {
  const face = el('strong', { class: 'clock' })
  const element = el('p', { class: 'copy-clock', role: 'timer', 'aria-live': 'off' }, el('span', {}, say('copy-left')), ' ', face)
  let before = Number.POSITIVE_INFINITY
  const tick = (): void => {
    const left = secondsLeft(ends, performance.now())
    if (left === before) return
    const due = SAID_AT.find((each) => before > each && left <= each)
    // At the start nothing is said: the screen itself is being read.
    if (due !== undefined && Number.isFinite(before) && left > 0) announce(say('copy-left-said', { n: left }))
    before = left
    face.textContent = clockFace(left)
    element.classList.toggle('soon', left <= 30)
  }
  tick()
  const timer = setInterval(tick, TICK_MS)
  return { element, stop: () => clearInterval(timer) }
}
