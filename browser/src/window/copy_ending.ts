/** 받기: the server's word that the copy is over, so that nobody goes on reading a number that is worth nothing (C3). */

const CODE = /^[a-z0-9-]{1,64}$/
/** No copy lasts longer; a window that is forgotten keeps nobody logged in. */
const PATIENCE_MS = 600_000

/** Ends that take the login with them, or this very window's part: whatever the frame shows by then says too little. */
const AT_ONCE: ReadonlySet<string> = new Set(['copy-stopped', 'session-over', 'copy-other-session'])

/** How far the vault is: `number` before the devices found each other, `run` after it, else what it said itself. */
export type Frame = 'number' | 'run' | 'copied' | 'ended'

/**
 * What the page does with an end. `later`: the frame hears of it from the other device, and says it better; the page
 * says it where the frame does not.
 */
export function onEnd(code: string, frame: Frame): 'nothing' | 'now' | 'later' {
  if (frame === 'copied') return 'nothing'
  if (AT_ONCE.has(code) || frame === 'number') return 'now'
  return frame === 'run' ? 'later' : 'nothing'
}

/** The code of an event `over`, or null where it is none. */
export function codeOf(data: unknown): string | null {
  try {
    const { code } = JSON.parse(String(data)) as { code?: unknown }
    return typeof code === 'string' && CODE.test(code) ? code : null
  } catch {
    return null
  }
}

/** Listens for the one event. Where it does not come through, what is posted next is refused as before. */
export class Ending {
  readonly #url: string
  readonly #over: (code: string) => void
  #source: EventSource | null = null
  #patience: ReturnType<typeof setTimeout> | undefined

  constructor(base: string, over: (code: string) => void) {
    this.#url = `${base}/events`
    this.#over = over
  }

  start(): void {
    this.stop()
    this.#patience = setTimeout(() => this.stop(), PATIENCE_MS)
    const source = new EventSource(this.#url)
    this.#source = source
    source.addEventListener('over', (event: MessageEvent<string>) => {
      const code = codeOf(event.data)
      if (code === null || this.#source !== source) return
      this.stop()
      this.#over(code)
    })
  }

  stop(): void {
    this.#source?.close()
    this.#source = null
    clearTimeout(this.#patience)
  }
}
