/** The vault's line to the center about 간편비밀번호: requests go out through the embedding page, answers come back. */

import { Refusal } from '../pure/failure.ts'
import type { Tell } from './channel.ts'
import type { PinFromCenter, PinRequest, PinTold } from './pin_messages.ts'

const PATIENCE_MS = 15_000

/** Asks the center. Throws Refusal with its code, or `outage` where nothing comes. */
export type PinLine = (ask: PinRequest) => Promise<PinTold>

interface Waiting {
  readonly id: string
  readonly heard: (told: PinTold) => void
}

const waiting = new Map<number, Waiting>()
let turns = 0

/** The line of a conversation. `id`: of it, as it is when something is asked. */
export function pinLine(tell: Tell, id: () => string): PinLine {
  return (ask) =>
    new Promise<PinTold>((resolve, reject) => {
      const [turn, here] = [(turns += 1), id()]
      const over = (): void => {
        waiting.delete(turn)
        clearTimeout(patience)
      }
      const patience = setTimeout(() => {
        over()
        reject(new Refusal('outage'))
      }, PATIENCE_MS)
      const heard = (told: PinTold): void => {
        over()
        if (told.code === null) resolve(told)
        else reject(new Refusal(told.code))
      }
      waiting.set(turn, { id: here, heard })
      tell({ kind: 'pin', id: here, turn, ask })
    })
}

/** What the center's page tells; an answer to nothing is nothing. */
export function pinHeard({ id, turn, told }: PinFromCenter): void {
  const found = waiting.get(turn)
  if (found?.id === id) found.heard(told)
}
