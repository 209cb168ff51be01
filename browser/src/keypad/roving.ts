/** Which key an arrow, Home or End leads to, by where the keys lie. */

/** The button to focus, or null where this key leads nowhere. Sideways within a row; up and down to the nearest one. */
export function aim(key: string, page: HTMLElement, from: Element | null): HTMLElement | null {
  const rows = [...page.querySelectorAll('.pad-row')]
    .map((row) => [...row.querySelectorAll<HTMLElement>('button')])
    .filter((row) => row.length > 0)
  const at = rows.findIndex((row) => row.includes(from as HTMLElement))
  const row = rows[at]
  if (row === undefined) return null
  const column = row.indexOf(from as HTMLElement)
  switch (key) {
    case 'ArrowRight':
      return row[column + 1] ?? rows[at + 1]?.[0] ?? null
    case 'ArrowLeft':
      return row[column - 1] ?? rows[at - 1]?.at(-1) ?? null
    case 'ArrowDown':
      return nearest(rows[at + 1], row[column]!)
    case 'ArrowUp':
      return nearest(rows[at - 1], row[column]!)
    case 'Home':
      return row[0]!
    case 'End':
      return row.at(-1)!
    default:
      return null
  }
}

function nearest(row: readonly HTMLElement[] | undefined, from: HTMLElement): HTMLElement | null {
  if (row === undefined) return null
  const gap = (each: HTMLElement): number => Math.abs(middle(each) - middle(from))
  return row.reduce((best, each) => (gap(each) < gap(best) ? each : best))
}

function middle(element: HTMLElement): number {
  const { left, width } = element.getBoundingClientRect()
  return left + width / 2
}
