import { LOOPBACK } from '@perennial/native-stack';
import { FaultyLink, type LinkMode } from './proxy.js';

/** One link in front of each instance of ingest; links are added and removed with the instances. */
export class IngestLinks {
  readonly #links = new Map<number, FaultyLink>();
  readonly #opening = new Map<number, Promise<void>>();
  #mode: LinkMode = { kind: 'pass' };

  /** Addresses at which clients reach the instances on these ports; a new instance gets its link a moment later. */
  urlsOf(ports: readonly number[]): string[] {
    return ports.flatMap((port) => {
      const link = this.#links.get(port);
      if (link === undefined) this.#open(port);
      return link === undefined ? [] : [`http://${LOOPBACK}:${link.port}`];
    });
  }

  /** The behaviour of all links, including those opened later. */
  set(mode: LinkMode): void {
    this.#mode = mode;
    for (const link of this.#links.values()) link.set(mode);
  }

  heal(): void {
    this.set({ kind: 'pass' });
  }

  /** Loses the open connections without notifying the clients. */
  lose(): void {
    for (const link of this.#links.values()) link.lose();
  }

  /** Notifies the instances of the lost connections. */
  forgetLost(): void {
    for (const link of this.#links.values()) link.forgetLost();
  }

  /** Number of responses cut so far. */
  get cuts(): number {
    return [...this.#links.values()].reduce((sum, { cuts }) => sum + cuts, 0);
  }

  async close(): Promise<void> {
    await Promise.all(this.#opening.values());
    await Promise.all([...this.#links.values()].map((link) => link.close()));
  }

  #open(port: number): void {
    if (this.#opening.has(port)) return;
    const opening = FaultyLink.listen({ host: LOOPBACK, port }).then((link) => {
      link.set(this.#mode);
      this.#links.set(port, link);
    });
    this.#opening.set(port, opening);
  }
}
