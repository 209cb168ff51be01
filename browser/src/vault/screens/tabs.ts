/** The four places a certificate may lie in, as tabs (W10): arrow keys move and open, as WAI-ARIA's tabs do. */

import { el } from '../dom.ts'
import type { Say } from '../words.ts'

export const TABS = ['browser', 'files', 'phone', 'finance'] as const
export type Tab = (typeof TABS)[number]

/** The row of tabs; `open` is told of each choice. */
export interface TabRow {
  readonly element: HTMLElement
  choose(tab: Tab): void
}

/** Makes the row. Panels are found by the id `panel-<tab>`. */
export function tabRow(say: Say, open: (tab: Tab) => void): TabRow {
  const element = el('div', { role: 'tablist', class: 'tabs', 'aria-label': say('tabs') })
  const tabs = TABS.map((tab) => {
    const made = el('button', { type: 'button', role: 'tab', id: `tab-${tab}`, 'aria-controls': `panel-${tab}` })
    made.textContent = say(`tab-${tab}`)
    made.addEventListener('click', () => open(tab))
    return made
  })
  element.append(...tabs)
  element.addEventListener('keydown', (event) => {
    const next = neighbour(event.key, tabs.findIndex((each) => each === document.activeElement))
    if (next === null) return
    event.preventDefault()
    tabs[next]!.focus()
    open(TABS[next]!)
  })
  return { element, choose: (tab) => mark(tabs, TABS.indexOf(tab)) }
}

function neighbour(key: string, at: number): number | null {
  const last = TABS.length - 1
  if (at < 0) return null
  if (key === 'ArrowRight') return at === last ? 0 : at + 1
  if (key === 'ArrowLeft') return at === 0 ? last : at - 1
  if (key === 'Home') return 0
  return key === 'End' ? last : null
}

function mark(tabs: readonly HTMLElement[], chosen: number): void {
  tabs.forEach((tab, at) => {
    tab.setAttribute('aria-selected', String(at === chosen))
    tab.tabIndex = at === chosen ? 0 : -1
  })
}

/** The panel of a tab. */
export function tabPanel(tab: Tab, ...children: readonly (Node | string)[]): HTMLElement {
  const attributes = { role: 'tabpanel', id: `panel-${tab}`, 'aria-labelledby': `tab-${tab}`, class: 'panel' }
  return el('section', attributes, ...children)
}
