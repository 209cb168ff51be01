/** The QR of a copy as a picture: black on white in every mode, with its quiet zone, drawn from its modules. */

import encodeQR from 'qr'

const SVG = 'http://www.w3.org/2000/svg'
/** Modules of white on every side (ISO/IEC 18004 §9.1): in dark mode nothing else would be white. */
const QUIET = 4

/** `size`: modules of a side, the quiet zone included; `path`: the dark ones, in runs. */
export function qrPath(text: string): { readonly size: number; readonly path: string } {
  // The text of a copy fills version 3 at this level: a quarter of it may be unreadable.
  const rows = encodeQR(text, 'raw', { ecc: 'quartile', border: QUIET })
  const path = rows.flatMap((row, y) => runs(row).map(([x, length]) => `M${x} ${y}h${length}v1h-${length}z`))
  return { size: rows.length, path: path.join('') }
}

function runs(row: readonly boolean[]): readonly (readonly [number, number])[] {
  const found: [number, number][] = []
  for (const [x, dark] of row.entries()) {
    if (dark && row[x - 1] === true) found.at(-1)![1]++
    else if (dark) found.push([x, 1])
  }
  return found
}

/** An SVG that grows with its place. `label`: what it is, for who cannot see it. */
export function qrPicture(text: string, label: string): SVGSVGElement {
  const { size, path } = qrPath(text)
  const picture = made('svg', { viewBox: `0 0 ${size} ${size}`, role: 'img', 'aria-label': label, 'shape-rendering': 'crispEdges' })
  picture.append(made('rect', { width: size, height: size, fill: '#fff' }), made('path', { d: path, fill: '#000' }))
  return picture
}

function made<K extends keyof SVGElementTagNameMap>(tag: K, attributes: Readonly<Record<string, string | number>>): SVGElementTagNameMap[K] {
  const element = document.createElementNS(SVG, tag)
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value))
  return element
}
