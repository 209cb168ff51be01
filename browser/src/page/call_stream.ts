// How a call stands, told by the server's events; where they do not come through, it is asked once a second, until they
// come again or nobody answers any more. Ends by itself when nothing more will happen to the call.

const ASK_MS = 1_000;
const TRIES = 10;

export type ToldCall = Readonly<Record<string, unknown>>;

export class CallStream {
  readonly #address: string;
  readonly #told: (call: ToldCall) => void;
  #source: EventSource | null = null;
  #asking: ReturnType<typeof setInterval> | null = null;
  #failed = 0;

  constructor(address: string, told: (call: ToldCall) => void) {
    this.#address = address;
    this.#told = told;
  }

  get running(): boolean {
    return this.#source !== null;
  }

  start(): void {
    this.stop();
    const source = new EventSource(`${this.#address}/events`);
    this.#source = source;
    source.addEventListener('open', () => this.#quiet());
    source.addEventListener('message', (event: MessageEvent<string>) => this.#heard(parsed(event.data)));
    source.addEventListener('error', () => this.#askInstead());
  }

  stop(): void {
    this.#source?.close();
    this.#source = null;
    this.#quiet();
  }

  #heard(call: ToldCall | null): void {
    if (call === null || !this.running) return;
    if (call['over'] === true) this.stop();
    this.#told(call);
  }

  #askInstead(): void {
    if (this.running) this.#asking ??= setInterval(() => void this.#ask(), ASK_MS);
  }

  async #ask(): Promise<void> {
    const call = await asked(this.#address);
    this.#failed = call === null ? this.#failed + 1 : 0;
    if (this.#failed >= TRIES) return this.stop();
    this.#heard(call);
  }

  #quiet(): void {
    if (this.#asking !== null) clearInterval(this.#asking);
    this.#asking = null;
    this.#failed = 0;
  }
}

async function asked(address: string): Promise<ToldCall | null> {
  try {
    const response = await fetch(address, { headers: { Accept: 'application/json' }, cache: 'no-store', redirect: 'error' });
    return response.ok ? ((await response.json()) as ToldCall) : null;
  } catch {
    return null;
  }
}

function parsed(text: string): ToldCall | null {
  try {
    return JSON.parse(text) as ToldCall;
  } catch {
    return null;
  }
}
