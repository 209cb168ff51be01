/**
 * The worker that is started when the first one sees nothing: its response alone may compile WebAssembly, and all that
 * it can reach is its own file (security B3).
 */

import code from 'zxing-wasm/reader/zxing_reader.wasm'
import { bounded, type Picture, type ReadingScope } from './picture.ts'
import { prepare, read } from './reading_wasm.ts'

const scope = globalThis as unknown as ReadingScope & { readonly location: { readonly href: string } }
const ready = prepare({ locateFile: () => new URL(code, scope.location.href).href }).then(
  () => true,
  () => false,
)

scope.onmessage = ({ data }) => void answer(data)

/** Where the browser compiles no WebAssembly this worker stays busy for ever, and the first one still looks. */
async function answer(picture: Picture): Promise<void> {
  if (await ready) scope.postMessage(bounded(await read(picture)))
}
