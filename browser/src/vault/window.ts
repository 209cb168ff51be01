/**
 * The vault's page: the certificate window, an issue or a copy, inside a frame of the center (security B1, B2).
 *
 * It says that it is ready, waits for the embedding page to ask, and shows nothing until then. Opened by itself, as a
 * page of its own, it stays empty.
 */

import { listen } from './channel.ts'
import { CopyDesk } from './copy_desk.ts'
import { Desk } from './desk.ts'
import { IssueDesk } from './issue_desk.ts'
import { prepare } from './labour.ts'
import { ManageDesk } from './manage_desk.ts'
import type { FromCenter } from './messages.ts'
import { RenewDesk } from './renew_desk.ts'
import { pinHeard } from './pin_line.ts'
import { origins } from './settings.ts'

let desk: Desk | IssueDesk | CopyDesk | ManageDesk | null = null

async function start(): Promise<void> {
  const known = await origins()
  const tell = listen(known, (message: FromCenter) => {
    if (desk?.closed === true) desk = null
    switch (message.kind) {
      case 'close':
        desk?.cancel()
        return
      case 'pinned':
        pinHeard(message)
        return
      case 'sign':
        if (desk instanceof Desk && desk.renewed(message.id, message.challenge)) return
        // Another act: whatever was typed for the former one is gone with it.
        desk?.discard()
        desk = new Desk(known, tell, message.id, message.challenge)
        return
      case 'issue':
        desk?.discard()
        desk = new IssueDesk(known, tell, message.id, message.issue)
        return
      case 'renew':
        desk?.discard()
        desk = new RenewDesk(known, tell, message.id, message.renew)
        return
      case 'copy':
        desk?.discard()
        desk = new CopyDesk(known, tell, message.id, message.copy)
        return
      case 'manage':
        desk?.discard()
        desk = new ManageDesk(known, tell, message.id, message.manage)
        return
      default:
        if (desk instanceof IssueDesk || desk instanceof CopyDesk || desk instanceof ManageDesk) desk.hear(message)
    }
  })
  prepare()
  tell({ kind: 'ready' })
}

void start()
