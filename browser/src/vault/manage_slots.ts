/**
 * 간편비밀번호 and 생체 of a kept certificate, at the desk (security B8, B9): the password's slot stays whatever is done.
 *
 * What was made is opened once by the worker, written, read back and compared, and whatever did not come so far is taken
 * away again. The center is asked only after the password was right; the device before that, while the press still
 * counts as one, and once however often the password is mistyped.
 */

import { Refusal } from '../pure/failure.ts'
import { Certificate } from '../pure/npki/certificate.ts'
import { displayName } from '../pure/npki/subject.ts'
import { wipe } from '../pure/octets.ts'
import type { Entry } from './entries.ts'
import type { Asking, ManageLabour } from './manage_labour.ts'
import { canUsePasskey, makePasskey } from './passkey.ts'
import type { PinUse } from './pin.ts'
import { type KeptRecord, type Passkey, passkeySlot, pinSlot, without } from './record.ts'
import { passkeyScreen } from './screens/manage_passkey.ts'
import { simpleScreen } from './screens/manage_simple.ts'
import { replace } from './store.ts'
import type { ManageView } from './manage_view.ts'
import type { ManageMessage } from './manage_messages.ts'

/** What the desk lends. `done`: back to the list, with what was done; `lead`: to the login. */
export interface Slots {
  readonly view: ManageView
  readonly labour: ManageLabour
  readonly pin: PinUse
  readonly manage: ManageMessage
  done(word: string): Promise<void>
  lead(): void
}

/** 간편비밀번호. */
export function simpleTask(slots: Slots, entry: Entry, back: () => void): void {
  const { view, manage, pin } = slots
  const record = recordOf(entry)
  const is = { isSet: pinSlot(record) !== null, known: manage.known }
  const screen = simpleScreen(entry, manage.lang, view.say, is, {
    set: (password, digits) => void setPin(slots, screen, entry, password, digits),
    remove: () => void removing(slots, screen, 'simple-removed', async () => void (await pin.forget(record))),
    login: slots.lead,
    back,
  })
  view.show(screen)
}

async function setPin(slots: Slots, screen: Asking, entry: Entry, password: Uint8Array, digits: Uint8Array): Promise<void> {
  const { labour, pin } = slots
  const again = password.slice()
  let handle: string | null = null
  try {
    const done = await labour.working(screen, async (task) => {
      const tried = await labour.answered(task, screen, entry, (source) => ({ manage: 'try', source, password }))
      if (tried === null) return null
      const made = await pin.fresh(recordOf(entry), digits)
      handle = made.handle
      const slotted = await labour.answered(task, screen, entry, (source) => ({ manage: 'pin', source, password: again, pin: made }))
      if (slotted === null) return null
      if (slotted.kind !== 'slotted' || !(await replace(slotted.record))) throw new Refusal('manage-cannot-change')
      handle = null
      const older = pinSlot(recordOf(entry))
      if (older !== null) await pin.abandon(older.handle)
      return slotted
    })
    if (done !== null) await slots.done('simple-done')
  } catch (failure) {
    told(slots, screen, failure)
  } finally {
    if (handle !== null) await pin.abandon(handle)
    wipe(password, again, digits)
  }
}

/** 생체. */
export async function passkeyTask(slots: Slots, entry: Entry, back: () => void): Promise<void> {
  const { view, manage } = slots
  const record = recordOf(entry)
  const is = { isSet: passkeySlot(record) !== null, can: await canUsePasskey() }
  let made: Promise<Passkey> | null = null
  const make = (): Promise<Passkey> => {
    made ??= makePasskey(displayName(new Certificate(record.certificate).subject)).catch((failure: unknown) => {
      made = null
      throw failure
    })
    return made
  }
  const screen = passkeyScreen(entry, manage.lang, view.say, is, {
    add: (password) => void addPasskey(slots, screen, entry, password, make),
    remove: () => void removing(slots, screen, 'bio-removed', async () => putWithout(record, 'passkey')),
    back,
  })
  view.show(screen)
}

async function addPasskey(slots: Slots, screen: Asking, entry: Entry, password: Uint8Array, make: () => Promise<Passkey>): Promise<void> {
  const { labour } = slots
  try {
    const done = await labour.working(screen, async (task) => {
      const made = await make()
      // The worker's copy moves and is overwritten; the next try of the password needs it once more.
      const passkey = { ...made, prf: made.prf.slice() }
      const slotted = await labour.answered(task, screen, entry, (source) => ({ manage: 'passkey', source, password, passkey }))
      if (slotted === null) return null
      if (slotted.kind !== 'slotted' || !(await replace(slotted.record))) throw new Refusal('manage-cannot-change')
      wipe(made.prf)
      return slotted
    })
    if (done !== null) await slots.done('bio-done')
  } catch (failure) {
    told(slots, screen, failure)
  } finally {
    wipe(password)
  }
}

async function removing(slots: Slots, screen: Asking, word: string, remove: () => Promise<void>): Promise<void> {
  try {
    await remove()
    await slots.done(word)
  } catch (failure) {
    told(slots, screen, failure)
  }
}

async function putWithout(record: KeptRecord, kind: 'passkey' | 'pin'): Promise<void> {
  if (!(await replace(without(record, kind)))) throw new Refusal('manage-cannot-change')
}

function told({ view }: Slots, screen: Asking, failure: unknown): void {
  if (!(failure instanceof Refusal)) throw failure
  screen.alert(view.sentence(failure.code, failure.facts))
}

function recordOf({ source }: Entry): KeptRecord {
  if (source?.kind !== 'record') throw new Refusal('defect')
  return source.record
}
