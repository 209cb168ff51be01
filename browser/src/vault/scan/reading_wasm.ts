/** Reading QR out of a picture with ZXing in WebAssembly: larger and slower to start, and better at hard pictures. */

import { prepareZXingModule, readBarcodes, type ZXingModuleOverrides } from 'zxing-wasm/reader'
import type { Picture, Texts } from './picture.ts'

/** Starts the module. `overrides`: where its code comes from, since the package would fetch it from others. */
export async function prepare(overrides: ZXingModuleOverrides): Promise<void> {
  await prepareZXingModule({ overrides, fireImmediately: true })
}

/** Every QR of a picture. */
export async function read({ width, height, pixels }: Picture): Promise<Texts> {
  const picture = { width, height, data: pixels } as ImageData
  const found = await readBarcodes(picture, { formats: ['QRCode'], maxNumberOfSymbols: 4, tryHarder: true })
  return found.filter(({ isValid }) => isValid).map(({ text }) => text)
}
