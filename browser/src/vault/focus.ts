/** Keeps the focus inside the window while it is open, and gives Esc its meaning. */

const FOCUSABLE = 'button, input, [tabindex="0"]'

/** Tab goes round inside `card`; Esc calls `escape`. */
export function hold(card: HTMLElement, escape: () => void): void {
  card.addEventListener('keydown', (event) => {
    // While a Korean syllable is being composed, Esc belongs to the input method.
    if (event.key === 'Escape' && !event.isComposing) {
      event.preventDefault()
      escape()
    }
    if (event.key === 'Tab') round(event, card)
  })
}

function round(event: KeyboardEvent, card: HTMLElement): void {
  const stops = [...card.querySelectorAll<HTMLElement>(FOCUSABLE)].filter(isStop)
  const [first, last] = [stops[0], stops.at(-1)]
  const from = event.shiftKey ? first : last
  const to = event.shiftKey ? last : first
  if (document.activeElement !== from || to === undefined) return
  event.preventDefault()
  to.focus()
}

function isStop(element: HTMLElement): boolean {
  if (element.tabIndex < 0 || element.closest('[hidden]') !== null) return false
  if (!(element instanceof HTMLInputElement) || element.type !== 'radio') return true
  const group = [...(element.closest('fieldset')?.querySelectorAll<HTMLInputElement>('input[type=radio]') ?? [])]
  return element === (group.find((each) => each.checked) ?? group[0])
}
