/** The frame's end of the line to the center's page: exact origin, exact window, both ways (security B2). */

import { Refusal } from '../pure/failure.ts'
import { comesFrom, type FromCenter, fromCenter, type FromVault, written } from './messages.ts'
import type { Origins } from './settings.ts'

/** Tells the center's page; a page of another origin that embeds us by mistake hears nothing. */
export type Tell = (message: FromVault) => void

/** Listens to the embedding page alone and answers what is not on the list with its code. */
export function listen(origins: Origins, hear: (message: FromCenter) => void): Tell {
  const tell: Tell = (message) => window.parent.postMessage(written(message), origins.center)
  window.addEventListener('message', (event) => {
    if (window.parent === window || !comesFrom(event, origins.center, window.parent)) return
    try {
      hear(fromCenter(event.data))
    } catch (failure) {
      if (!(failure instanceof Refusal)) throw failure
      tell({ kind: 'refused', id: idOf(event.data), code: failure.code })
    }
  })
  return tell
}

function idOf(data: unknown): string {
  const id = (data as { id?: unknown } | null)?.id
  return typeof id === 'string' && /^[0-9a-z-]{1,40}$/.test(id) ? id : 'unknown'
}
