/** 인증서복사 on the center's page: `<section data-copy="send|receive">`, with the vault's frame in it (W6, B3). */

import { Receiving } from './copy_receiving.ts'
import { Sending } from './copy_sending.ts'

/** Takes charge of the section, where the page has one. */
export function attachCopy(root: Document): void {
  const section = root.querySelector<HTMLElement>('section[data-copy]')
  if (section === null) return
  if (section.dataset['copy'] === 'send') new Sending(section).start()
  else new Receiving(section).start()
}
