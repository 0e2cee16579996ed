import { connect, createServer, type Server, type Socket } from 'node:net';
import { AppError } from '@perennial/kernel';
import { LOOPBACK } from '@perennial/native-stack';
import { DelayLine } from './delay-line.js';

/**
 * What a link does to its connections:
 * - `pass`: nothing
 * - `slow`: each chunk waits `delayMs` in each direction
 * - `reset`: every connection is reset, new ones too
 * - `half-open`: connections stay, but nothing arrives any more; at the end they are reset
 * - `cut`: the next `bytes` of an answer still arrive, then the connection is reset, once a connection
 */
export type LinkMode =
  | { readonly kind: 'pass' | 'reset' | 'half-open' }
  | { readonly kind: 'slow'; readonly delayMs: number }
  | { readonly kind: 'cut'; readonly bytes: number };

interface Link {
  readonly client: Socket;
  readonly server: Socket;
}

const PASS: LinkMode = { kind: 'pass' };

/** A TCP proxy between the services and one server, which can be made to misbehave. */
export class FaultyLink {
  readonly #target: { host: string; port: number };
  readonly #links = new Set<Link>();
  /** Connections that were lost without either end being notified. */
  readonly #lost = new Set<Link>();
  readonly #server: Server;
  #mode: LinkMode = PASS;
  #cuts = 0;

  private constructor(target: { host: string; port: number }) {
    this.#target = target;
    this.#server = createServer({ allowHalfOpen: true }, (client) => this.#open(client));
  }

  static async listen(target: { host: string; port: number }): Promise<FaultyLink> {
    const link = new FaultyLink(target);
    await new Promise<void>((resolve, reject) => {
      link.#server.once('error', reject).listen(0, LOOPBACK, resolve);
    });
    return link;
  }

  get port(): number {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new AppError('not_found', 'the link does not listen');
    return address.port;
  }

  /** Number of responses cut so far. */
  get cuts(): number {
    return this.#cuts;
  }

  /** Number of open connections. */
  get connections(): number {
    return this.#links.size;
  }

  set(mode: LinkMode): void {
    const before = this.#mode;
    this.#mode = mode;
    if (mode.kind === 'reset' || before.kind === 'half-open') this.#resetAll();
  }

  heal(): void {
    this.set(PASS);
  }

  /**
   * Stops all traffic on the open connections for good without notifying either end, as when the machine behind an
   * address is replaced, or a firewall drops its state. New connections work.
   */
  lose(): void {
    for (const link of this.#links) this.#lost.add(link);
    this.#links.clear();
  }

  /** Notifies the servers of the lost connections, but not the clients. */
  forgetLost(): void {
    for (const { server } of this.#lost) server.destroy();
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#resetAll();
    for (const link of this.#lost) reset(link);
    this.#lost.clear();
    await closed;
  }

  #open(client: Socket): void {
    if (this.#mode.kind === 'reset') {
      client.on('error', () => undefined).resetAndDestroy();
      return;
    }
    const link: Link = { client, server: connect({ ...this.#target, allowHalfOpen: true }) };
    this.#links.add(link);
    this.#forward(link, link.client, link.server);
    this.#forward(link, link.server, link.client);
  }

  #forward(link: Link, from: Socket, to: Socket): void {
    const answers = from === link.server;
    let cutAfter: number | undefined;
    from.setNoDelay(true);
    // When a link is healed while chunks wait, later chunks must not overtake them.
    const line = new DelayLine();
    const passes = () => this.#links.has(link) && this.#mode.kind !== 'half-open';
    const pass = (work: () => void) =>
      line.push(this.#mode.kind === 'slow' ? this.#mode.delayMs : 0, () => passes() && work());
    from.on('data', (chunk: Buffer) => {
      const mode = this.#mode;
      if (mode.kind === 'cut' && answers) {
        cutAfter ??= mode.bytes;
        if (chunk.length > cutAfter) {
          const rest = chunk.subarray(0, cutAfter);
          this.#cuts++;
          // Written first: a reset would discard what is still in the buffer.
          pass(() => to.write(rest, () => this.#reset(link)));
          return;
        }
        cutAfter -= chunk.length;
      }
      pass(() => {
        if (to.write(chunk)) return;
        from.pause();
        to.once('drain', () => from.resume());
      });
    });
    from.on('end', () => pass(() => to.end()));
    from.on('error', () => undefined);
    from.on('close', () => this.#reset(link));
  }

  #resetAll(): void {
    for (const link of [...this.#links]) this.#reset(link);
  }

  #reset(link: Link): void {
    if (this.#links.delete(link)) reset(link);
  }
}

function reset({ client, server }: Link): void {
  for (const socket of [client, server]) {
    // A reset while a FIN is in flight fails (EINVAL) and leaves a handle for which Node waits, spinning, at its exit.
    if (socket.writableEnded) socket.destroy();
    else socket.resetAndDestroy();
  }
}
