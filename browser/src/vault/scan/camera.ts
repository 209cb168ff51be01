/** The camera at the back of the device, for as long as somebody looks; its pictures never leave this frame. */

import { Refusal } from '../../pure/failure.ts'
import type { Picture } from './picture.ts'

/** Why there is no camera: refused, none there, used by another program, or something else. */
export type CameraTrouble = 'scan-denied' | 'scan-no-camera' | 'scan-busy' | 'scan-failed'

/** The longer side of what is read: more pixels take longer and show no more of a QR that fills the view. */
const SIDE_MOST = 1_000

const TROUBLES: Readonly<Record<string, CameraTrouble>> = {
  NotAllowedError: 'scan-denied',
  SecurityError: 'scan-denied',
  NotFoundError: 'scan-no-camera',
  OverconstrainedError: 'scan-no-camera',
  NotReadableError: 'scan-busy',
  AbortError: 'scan-busy',
}

/** The code of what the browser threw when the camera was asked for. */
export function troubleOf(failure: unknown): CameraTrouble {
  const name = (failure as { name?: unknown } | null)?.name
  return (typeof name === 'string' ? TROUBLES[name] : undefined) ?? 'scan-failed'
}

/** The camera did not open: one of CameraTrouble. */
export class CameraClosed extends Refusal {
  readonly trouble: CameraTrouble

  constructor(trouble: CameraTrouble) {
    super(trouble)
    this.name = 'CameraClosed'
    this.trouble = trouble
  }
}

/** An open camera. */
export interface Camera {
  /** What it sees now, or null where nothing has come yet. */
  look(): Picture | null
  close(): void
}

/** Opens the camera and shows it in `video`. `ended`: it was taken away. Throws CameraClosed. */
export async function openCamera(video: HTMLVideoElement, ended: () => void): Promise<Camera> {
  const stream = await asked()
  for (const track of stream.getVideoTracks()) track.addEventListener('ended', ended)
  const close = (): void => {
    for (const track of stream.getTracks()) {
      track.removeEventListener('ended', ended)
      track.stop()
    }
    if (video.srcObject === stream) video.srcObject = null
  }
  video.srcObject = stream
  try {
    await video.play()
  } catch {
    close()
    throw new CameraClosed('scan-failed')
  }
  const canvas = document.createElement('canvas')
  return { look: () => look(video, canvas), close }
}

async function asked(): Promise<MediaStream> {
  // Browsers leave it out where the page may not use any: not https, or a frame without the permission.
  const devices = navigator.mediaDevices as MediaDevices | undefined
  if (devices?.getUserMedia === undefined) throw new CameraClosed('scan-no-camera')
  const wanted = { facingMode: { ideal: 'environment' }, width: { ideal: 1280 }, height: { ideal: 720 } }
  try {
    return await devices.getUserMedia({ audio: false, video: wanted })
  } catch (failure) {
    throw new CameraClosed(troubleOf(failure))
  }
}

function look(video: HTMLVideoElement, canvas: HTMLCanvasElement): Picture | null {
  const { videoWidth, videoHeight } = video
  if (video.readyState < video.HAVE_CURRENT_DATA || videoWidth === 0) return null
  const scale = Math.min(1, SIDE_MOST / Math.max(videoWidth, videoHeight))
  const width = Math.round(videoWidth * scale)
  const height = Math.round(videoHeight * scale)
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height })
  const context = canvas.getContext('2d', { willReadFrequently: true })
  if (context === null) return null
  context.drawImage(video, 0, 0, width, height)
  return { width, height, pixels: context.getImageData(0, 0, width, height).data as Uint8ClampedArray<ArrayBuffer> }
}
