import { LOOPBACK } from '@perennial/native-stack';
import { FaultyLink, type LinkMode } from './proxy.js';

/** One link before each instance of ingest; instances come and go, the links with them. */
export class IngestLinks {
  readonly #links = new Map<number, FaultyLink>();
  readonly #opening = new Map<number, Promise<void>>();
  #mode: LinkMode = { kind: 'pass' };

  /** Where clients find the instances on these ports; one that is new has its link a moment later. */
  urlsOf(ports: readonly number[]): string[] {
    return ports.flatMap((port) => {
      const link = this.#links.get(port);
      if (link === undefined) this.#open(port);
      return link === undefined ? [] : [`http://${LOOPBACK}:${link.port}`];
    });
  }

  /** What all of them do, also those that are opened later. */
  set(mode: LinkMode): void {
    this.#mode = mode;
    for (const link of this.#links.values()) link.set(mode);
  }

  heal(): void {
    this.set({ kind: 'pass' });
  }

  /** The connections that are open are lost; clients never hear of it. */
  lose(): void {
    for (const link of this.#links.values()) link.lose();
  }

  /** The instances find out. */
  forgetLost(): void {
    for (const link of this.#links.values()) link.forgetLost();
  }

  /** Answers that were cut so far. */
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
