/** The worker that reads pictures first: it has no network, no storage and no key (security B3). */

import { bounded, type ReadingScope } from './picture.ts'
import { read } from './reading.ts'

const scope = globalThis as unknown as ReadingScope

scope.onmessage = ({ data }) => scope.postMessage(bounded(read(data)))
