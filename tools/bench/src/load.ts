import { Agent, request } from 'node:http';
import { AppError, createSeededRandom } from '@perennial/kernel';

export interface LoadOptions {
  readonly ingestUrl: string;
  readonly writeKey: string;
  /** Prefix of this run's user ids, so that runs do not share profiles. */
  readonly run: string;
  /** Share of orders by new customers, 0 to 1; the others are by users of this run, drawn uniformly. */
  readonly newShare: number;
  readonly batchEvents: number;
  /** Seed of the choice of users and amounts. */
  readonly seed: number;
}

/** One event as sent: its user, and when ingest acknowledged it. */
export interface Sent {
  readonly userId: string;
  readonly ackedAtMs: number;
}

/** Requests in flight at most; an open-loop sender counts the events that it could not send in time because of it. */
const IN_FLIGHT_MAX = 32;

type Order = { userId: string } & Record<string, unknown>;

/** Sends orders over HTTP in batches, as an SDK does. */
export class Load {
  readonly #options: LoadOptions;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: IN_FLIGHT_MAX });
  readonly #random: () => number;
  #made = 0;
  #users = 0;

  constructor(options: LoadOptions) {
    this.#options = options;
    this.#random = createSeededRandom(options.seed);
  }

  /** Sends as fast as ingest answers, with `IN_FLIGHT_MAX` requests in flight. */
  async flatOut(events: number, onAcked: (sent: readonly Sent[]) => void): Promise<void> {
    let left = events;
    const lanes = Array.from({ length: IN_FLIGHT_MAX }, async () => {
      while (left > 0) {
        const count = Math.min(left, this.#options.batchEvents);
        left -= count;
        onAcked(await this.#send(this.#makeOrders(count)));
      }
    });
    await Promise.all(lanes);
  }

  /**
   * Sends at a steady rate, however slow the answers are (open loop); returns the events that found no free request.
   */
  async steady(
    eventsPerSecond: number,
    seconds: number,
    onAcked: (sent: readonly Sent[]) => void,
  ): Promise<{ skipped: number }> {
    const { batchEvents } = this.#options;
    const startedMs = performance.now();
    const total = Math.round((eventsPerSecond * seconds) / batchEvents);
    const flying = new Set<Promise<void>>();
    let failure: unknown;
    let skipped = 0;
    for (let i = 0; i < total; i++) {
      const dueMs = startedMs + (i * batchEvents * 1000) / eventsPerSecond;
      const waitMs = dueMs - performance.now();
      if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
      if (flying.size >= IN_FLIGHT_MAX) {
        skipped += batchEvents;
        continue;
      }
      const sending = this.#send(this.#makeOrders(batchEvents))
        .then(onAcked, (error: unknown) => {
          failure ??= error;
        })
        .finally(() => flying.delete(sending));
      flying.add(sending);
    }
    await Promise.all(flying);
    if (failure !== undefined) throw failure;
    return { skipped };
  }

  /** Events generated so far. */
  get made(): number {
    return this.#made;
  }

  /** Sends one order each of new users that occur nowhere else, in one request. */
  async lastUsers(count: number): Promise<readonly Sent[]> {
    return this.#send(Array.from({ length: count }, (_, i) => this.#makeOrder(`${this.#options.run}-last-${i}`)));
  }

  close(): void {
    this.#agent.destroy();
  }

  #pickUser(): string {
    const isNew = this.#users === 0 || this.#random() < this.#options.newShare;
    return `${this.#options.run}-${isNew ? this.#users++ : Math.floor(this.#random() * this.#users)}`;
  }

  #makeOrders(count: number): Order[] {
    return Array.from({ length: count }, () => this.#makeOrder());
  }

  async #send(batch: readonly Order[]): Promise<Sent[]> {
    const { ingestUrl, writeKey } = this.#options;
    const body = JSON.stringify({ batch });
    const answer = await post(`${ingestUrl}/v1/batch`, { body, writeKey, agent: this.#agent });
    if (answer.status !== 200) {
      throw new AppError('dependency_unavailable', `ingest answered ${answer.status}: ${answer.text}`);
    }
    const ackedAtMs = Date.now();
    return batch.map(({ userId }) => ({ userId, ackedAtMs }));
  }

  #makeOrder(userId = this.#pickUser()): Order {
    const { run } = this.#options;
    const number = this.#made++;
    const price = Math.round(this.#random() * 10_000) / 100;
    const products = [{ product_id: `sku-${Math.floor(this.#random() * 500)}`, quantity: 1, price }];
    const properties = { order_id: `${run}-${number}`, revenue: price, currency: 'USD', products };
    return { type: 'track', event: 'Order Completed', userId, messageId: `${run}-${number}`, properties };
  }
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

function post(url: string, options: { body: string; writeKey: string; agent: Agent }): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(options.body),
      authorization: `Basic ${Buffer.from(`${options.writeKey}:`).toString('base64')}`,
    };
    const sending = request(url, { method: 'POST', agent: options.agent, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.once('end', () => {
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() });
      });
      response.once('error', reject);
    });
    sending.once('error', reject);
    sending.end(options.body);
  });
}
