/** "인증서가 보이지 않나요?": where each system hides its NPKI folder, and how to get there; the person's own first. */

import { button, el } from '../dom.ts'
import { type Place, PLACES, placesFor } from '../place.ts'
import type { Say } from '../words.ts'

/** The content of the page. `announce` tells a screen reader that the path was copied. */
export function help(own: Place | 'phone', say: Say, announce: (text: string) => void): readonly HTMLElement[] {
  const lead = el('p', {}, say(own === 'phone' ? 'help-phone' : 'help-lead'))
  const places = placesFor(own).map((place) => placeCard(place, place === own, say, announce))
  return [
    lead,
    el('div', { class: 'places' }, ...places),
    el('p', { class: 'hint' }, say('help-pfx')),
    el('p', { class: 'hint' }, say('token-note')),
  ]
}

function placeCard(place: Place, own: boolean, say: Say, announce: (text: string) => void): HTMLElement {
  const path = PLACES[place]
  const copy = button(say('copy'), 'secondary small', () => void copied())
  copy.setAttribute('aria-label', `${say('copy')}: ${path}`)
  const copied = async (): Promise<void> => {
    await copyText(path, code)
    copy.textContent = say('copied')
    announce(say('copied'))
  }
  const code = el('code', { tabindex: '0' }, path)
  const title = el('h3', {}, say(`place-${place}`))
  if (own) title.append(el('span', { class: 'chip chip-own' }, say('place-own')))
  const row = el('div', { class: 'path' }, code, copy)
  return el('div', { class: own ? 'place own' : 'place' }, title, row, el('p', {}, say(`how-${place}`)))
}

/** The clipboard where the frame may write to it; else the path is selected, ready for Ctrl+C. */
async function copyText(text: string, shown: HTMLElement): Promise<void> {
  try {
    await navigator.clipboard.writeText(text)
  } catch {
    getSelection()?.selectAllChildren(shown)
    document.execCommand('copy')
  }
}
