/**
 * Both ends of a copy over a real relay, for tests/run/test_relay_browser.py: tickets come on stdin, one a line, asked
 * for on stdout; how the two sides end comes last.
 *
 * Arguments: the relay's address; how the networks of the sender and of the receiver behave: `whole`, `dropping` (its
 * first four connections end after two to five words), `no-sockets`; the digits that the sender types.
 */

import { createInterface } from 'node:readline'
import { scalarOf } from '../../src/pure/channel/cpace.ts'
import { type Effect, Endpoint, type Event } from '../../src/pure/channel/endpoint.ts'
import { type Payload, payloadDigest } from '../../src/pure/channel/frames.ts'
import type { Role } from '../../src/pure/channel/schedule.ts'
import { randomBytes, utf8 } from '../../src/pure/platform.ts'
import { type First, type Platform, RelayLink, type Told } from '../../src/vault/relay_link.ts'

type Network = 'whole' | 'dropping' | 'no-sockets'

const [relay, sends, receives, digits] = process.argv.slice(2) as [string, Network, Network, string]
const DROPS = 4
const PAYLOAD: Payload = { certificate: randomBytes(1200), keyFile: randomBytes(1300) }
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()

function say(told: unknown): void {
  process.stdout.write(`${JSON.stringify(told)}\n`)
}

async function ticket(wanted: object): Promise<string> {
  say(wanted)
  return (await lines.next()).value as string
}

function platform(network: Network): Platform {
  let connections = 0
  return {
    socket: (address, protocol) => {
      const socket = new WebSocket(network === 'no-sockets' ? 'ws://127.0.0.1:1/' : address, protocol)
      let words = ++connections > DROPS ? Number.POSITIVE_INFINITY : connections + 1
      if (network === 'dropping') socket.addEventListener('message', () => void (--words === 0 && socket.close()))
      return socket
    },
    fetch: (...asked) => fetch(...asked),
    later: (act, ms) => {
      const timer = setTimeout(act, ms)
      return () => clearTimeout(timer)
    },
    random: () => 0.5,
    online: () => () => undefined,
  }
}

/** One side, from its ticket to its end. */
class Side {
  readonly #endpoint: Endpoint
  readonly #link: RelayLink
  readonly #mailbox: string
  readonly opened: Promise<string>
  readonly over: Promise<{ readonly at: string; readonly dropped: number }>
  /** The link has heard its last word. */
  readonly closed: Promise<void>
  #shut!: () => void
  #tell!: (mailbox: string) => void
  #end!: (over: { readonly at: string; readonly dropped: number }) => void
  #dropped = 0

  constructor(role: Role, first: First, mailbox: string, network: Network, secret: string) {
    this.opened = new Promise((resolve) => void (this.#tell = resolve))
    this.over = new Promise((resolve) => void (this.#end = resolve))
    this.closed = new Promise((resolve) => void (this.#shut = resolve))
    this.#mailbox = mailbox
    const opened = first.act === 'open'
    const own = { role, relay, device: utf8(role), opened, digits: secret, qr: null } as const
    const drawn = { nonce: randomBytes(16), scalar: scalarOf(randomBytes(32)), lot: randomBytes(16) }
    this.#endpoint = new Endpoint({ ...own, ...drawn }, opened ? null : mailbox)
    this.#link = new RelayLink(relay, first, (told) => this.#hear(told), platform(network))
  }

  #hear(told: Told): void {
    if (told.told === 'dropped') this.#dropped++
    if (told.told === 'opened') {
      this.#take({ on: 'admitted', mailbox: told.mailbox })
      this.#tell(told.mailbox)
    }
    if (told.told === 'joined') this.#take({ on: 'admitted', mailbox: this.#mailbox })
    if (told.told === 'peer') this.#take({ on: 'peerCame' })
    if (told.told === 'heard') this.#take({ on: 'heard', body: told.body })
    if (told.told === 'closed') this.#take({ on: 'closed', why: told.why })
    if (told.told === 'lost') this.#take({ on: 'linkLost' })
    if (told.told === 'closed' || told.told === 'lost') this.#shut()
    if (told.told === 'refused') this.#end({ at: told.code, dropped: this.#dropped })
  }

  #take(event: Event): void {
    for (const effect of this.#endpoint.take(event)) this.#do(effect)
    if (this.#endpoint.over) this.#end({ at: this.#endpoint.state.at, dropped: this.#dropped })
  }

  #do(effect: Effect): void {
    if (effect.do === 'send') this.#link.send(effect.body)
    if (effect.do === 'close') this.#link.close(effect.why)
    if (effect.do === 'showWords') queueMicrotask(() => this.#take({ on: 'agreed', payload: PAYLOAD }))
    if (effect.do === 'deliver') queueMicrotask(() => this.#store(effect.payload))
  }

  #store(payload: Payload): void {
    this.#take({ on: 'asked' })
    this.#take({ on: 'stored', digest: payloadDigest(payload) })
  }
}

const receiver = new Side('receiver', { act: 'open', ticket: await ticket({ act: 'open' }) }, '', receives, '5678901')
const mailbox = await receiver.opened
const joins = { act: 'join', ticket: await ticket({ act: 'join', mailbox }) } as const
const sender = new Side('sender', joins, mailbox, sends, digits)
const ends = [await sender.over, await receiver.over]
await Promise.all([sender.closed, receiver.closed])
say(ends)
process.exit(0)
