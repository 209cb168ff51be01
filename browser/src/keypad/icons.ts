/** Two drawings of strokes, for keys whose sign not every typeface has. */

const SPACE = 'http://www.w3.org/2000/svg'

export const ERASE = ['M8 5h12v14H8L2 12z', 'm11 9.5 5 5', 'm16 9.5-5 5']
export const SHIFT = ['M12 3 3.5 12H8v8h8v-8h4.5z']

/** An SVG of the paths, in the colour of the text around it; hidden from screen readers. */
export function icon(paths: readonly string[]): SVGElement {
  const made = document.createElementNS(SPACE, 'svg')
  const attributes = { viewBox: '0 0 24 24', width: '22', height: '22', fill: 'none', stroke: 'currentColor' }
  const drawn = { ...attributes, 'stroke-width': '1.8', 'stroke-linejoin': 'round', 'stroke-linecap': 'round' }
  for (const [name, value] of Object.entries({ ...drawn, 'aria-hidden': 'true', focusable: 'false' })) {
    made.setAttribute(name, value)
  }
  for (const path of paths) {
    const line = document.createElementNS(SPACE, 'path')
    line.setAttribute('d', path)
    made.append(line)
  }
  return made
}
