/**
 * The vault's page: the certificate window inside a frame of the center (security B1, B2).
 *
 * It says that it is ready, waits for the embedding page to ask, and shows nothing until then. Opened by itself, as a
 * page of its own, it stays empty.
 */

import { listen } from './channel.ts'
import { Desk } from './desk.ts'
import { prepare } from './labour.ts'
import type { FromCenter } from './messages.ts'
import { origins } from './settings.ts'

let desk: Desk | null = null

async function start(): Promise<void> {
  const known = await origins()
  const tell = listen(known, (message: FromCenter) => {
    if (desk?.closed === true) desk = null
    if (message.kind === 'close') {
      desk?.cancel()
      return
    }
    if (desk?.renewed(message.id, message.challenge) === true) return
    // Another act: whatever was typed for the former one is gone with it.
    desk?.discard()
    desk = new Desk(known, tell, message.id, message.challenge)
  })
  prepare()
  tell({ kind: 'ready' })
}

void start()
