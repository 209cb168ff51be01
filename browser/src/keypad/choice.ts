/** What the person chose about the keypad, kept by the browser for this origin; never what was typed. */

type Kind = 'digits' | 'text' | 'read'

const name = (kind: Kind): string => `ingam.keypad.${kind}`

/** What was chosen before, else what the screen does by itself. */
export function chosen(kind: Kind, otherwise: boolean): boolean {
  try {
    const kept = localStorage.getItem(name(kind))
    return kept === null ? otherwise : kept === 'on'
  } catch {
    return otherwise // storage is closed: a private window, or a frame of another site
  }
}

/** Remembers it where the browser lets us. */
export function choose(kind: Kind, on: boolean): void {
  try {
    localStorage.setItem(name(kind), on ? 'on' : 'off')
  } catch {
    // It is asked for again next time.
  }
}
