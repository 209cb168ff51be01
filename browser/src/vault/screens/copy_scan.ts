/** Reading a QR with the camera in this frame; never a dead end: the number is always the other way (security C5). */

import type { Code } from '../../pure/channel/number.ts'
import { button, el, show } from '../dom.ts'
import { Scanner, type ScanTrouble } from '../scan/scanner.ts'
import type { Say } from '../words.ts'

/** Who is told. */
export interface ScanEvents {
  scanned(code: Code): void
  back(): void
  cancel(): void
}

export interface ScanScreen {
  readonly element: HTMLElement
  start(): void
  stop(): void
}

/** What keeps the camera closed; the others are hints while it looks. */
const CLOSED: readonly ScanTrouble[] = ['scan-denied', 'scan-no-camera', 'scan-busy', 'scan-failed']

/** `back`: the word of the way without a camera. */
export function scanScreen(say: Say, title: string, back: string, events: ScanEvents): ScanScreen {
  const video = el('video', { playsinline: true, muted: true, 'aria-label': say('copy-scan-video') })
  const frame = el('div', { class: 'copy-camera' }, video, el('div', { class: 'sight', 'aria-hidden': 'true' }))
  const told = el('p', { class: 'hint', role: 'status' })
  const again = button(say('copy-camera-again'), 'primary', () => start())
  const tell = (trouble: ScanTrouble): void => {
    const closed = CLOSED.includes(trouble)
    told.textContent = say(trouble)
    told.classList.toggle('wrong', closed)
    show(frame, !closed)
    show(again, closed)
  }
  const scanner = new Scanner(video, events.scanned, tell)
  const start = (): void => {
    told.textContent = say('copy-scan-hint')
    told.classList.remove('wrong')
    show(frame, true)
    show(again, false)
    void scanner.start()
  }
  const heading = el('h2', { tabindex: '-1', class: 'copy-title' }, title)
  const ends = el('div', { class: 'ends inline' }, button(say('cancel'), 'secondary', events.cancel), again)
  const element = el('div', { class: 'copy-scan-screen' }, heading, frame, told, button(back, 'secondary wide', events.back), ends)
  return { element, start, stop: () => scanner.stop() }
}
