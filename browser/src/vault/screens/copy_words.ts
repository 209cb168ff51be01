/** The check words: the same two on both devices, each in both languages; the sender's person says whether (C10). */

import { checkWords } from '../../generated/check_words.ts'
import type { Lang } from '../customers.ts'
import type { CopyRole } from '../copy_messages.ts'
import { button, el } from '../dom.ts'
import type { Say } from '../words.ts'
import { countdown } from './countdown.ts'

/** Who is told. */
export interface WordsEvents {
  agreed(): void
  differ(): void
}

export interface WordsScreen {
  readonly element: HTMLElement
  stop(): void
}

/** Words of a language, `사과 · 바다`. */
export function wordsOf(lang: Lang, [one, other]: readonly [number, number]): string {
  return `${checkWords[lang][one]} · ${checkWords[lang][other]}`
}

/** `device`: what the other side calls itself; `ends`: by performance.now, for the sender. */
export interface WordsOptions {
  readonly say: Say
  readonly lang: Lang
  readonly role: CopyRole
  readonly words: readonly [number, number]
  readonly device: string
  readonly ends: number
  readonly events: WordsEvents
  announce(text: string): void
}

export function wordsScreen({ say, lang, role, words, device, ends, events, announce }: WordsOptions): WordsScreen {
  const second: Lang = lang === 'ko' ? 'en' : 'ko'
  const heading = el('h2', { tabindex: '-1', class: 'copy-title' }, say(`copy-words-${role}`))
  const connected = el('p', { class: 'line-ok' }, say('copy-paired', { device }))
  const seen = el('p', { class: 'copy-words' }, el('strong', { id: 'check-words' }, wordsOf(lang, words)))
  seen.append(' ', el('span', { lang: second, class: 'hint' }, `(${wordsOf(second, words)})`))
  const element = el('div', { class: 'copy-compare' }, heading, connected, seen, el('p', { class: 'hint' }, say(`copy-words-hint-${role}`)))
  const differ = button(say('copy-differ'), 'secondary', events.differ)
  if (role === 'receive') {
    element.append(el('div', { class: 'ends inline' }, differ))
    return { element, stop: () => undefined }
  }
  const clock = countdown(say, ends, announce)
  const agree = button(say('copy-agree'), 'primary', events.agreed)
  element.append(clock.element, el('div', { class: 'ends inline' }, differ, agree))
  return { element, stop: clock.stop }
}
