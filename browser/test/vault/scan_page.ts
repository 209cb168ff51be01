/** A page of the vault's origin that does nothing but scan, or draw: what it sees stands in its title. */

import { Scanner } from '../../src/vault/scan/scanner.ts'
import { qrPicture } from '../../src/vault/scan/qr_picture.ts'

const [what, text = ''] = decodeURIComponent(location.hash.slice(1)).split('=')
if (what === 'draw') {
  document.body.append(qrPicture(text, 'QR'))
  document.title = 'drawn'
} else {
  const video = document.createElement('video')
  video.muted = video.playsInline = true
  document.body.append(video)
  const told: string[] = []
  const scanner = new Scanner(
    video,
    (code) => (document.title = `found ${code.mailbox} ${code.digits} ${code.qr.length} ${video.srcObject}`),
    (code) => (document.title = `trouble ${told.push(code) && told.join(' ')}`),
  )
  Object.assign(globalThis, { scanner })
  void scanner.start()
}
