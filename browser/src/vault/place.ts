/** Where each system hides its NPKI folder (npki.md §4), told to the person so that it can be picked. Pure. */

/** A system that keeps an NPKI folder of its own; `usb` on any of them. */
export const PLACES = {
  windows: String.raw`%USERPROFILE%\AppData\LocalLow\NPKI`,
  macos: '~/Library/Preferences/NPKI',
  linux: '~/NPKI',
  usb: String.raw`E:\NPKI`,
} as const
export type Place = keyof typeof PLACES

/** What the browser says of its system, to find the person's own. */
export interface Platform {
  readonly userAgent: string
  readonly maxTouchPoints: number
}

/** `phone` has no such folder: certificates come there as .pfx. */
export function ownPlace({ userAgent, maxTouchPoints }: Platform): Place | 'phone' {
  if (/Android|iPhone|iPad|iPod/.test(userAgent)) return 'phone'
  if (userAgent.includes('Windows')) return 'windows'
  // An iPad asks for desktop pages under the name of a Mac; no Mac has a touch screen.
  if (userAgent.includes('Macintosh')) return maxTouchPoints > 1 ? 'phone' : 'macos'
  return 'linux'
}

/** All places, the person's own first. */
export function placesFor(own: Place | 'phone'): readonly Place[] {
  const all = Object.keys(PLACES) as Place[]
  return own === 'phone' ? all : [own, ...all.filter((each) => each !== own)]
}
