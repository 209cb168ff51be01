/** Elements made one by one: no markup text anywhere, so Trusted Types and the policy have nothing to refuse (B3). */

type Child = Node | string
type Value = string | number | boolean | null

/** An element with attributes (`false` and null leave one out, `true` gives an empty one) and children. */
export function el<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Readonly<Record<string, Value>> = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== false) made.setAttribute(name, value === true ? '' : String(value))
  }
  made.append(...children)
  return made
}

/** A button that submits nothing. */
export function button(text: string, className: string, act: () => void): HTMLButtonElement {
  const made = el('button', { type: 'button', class: className }, text)
  made.addEventListener('click', act)
  return made
}

/** Shows or hides, for everybody alike. */
export function show(element: HTMLElement, shown: boolean): void {
  element.hidden = !shown
}
