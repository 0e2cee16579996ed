import { Circles, type DrawnIds, type IdPair } from './circles.js';
import { type DecidedAction, Reports } from './reports.js';

export const BATCH_EVENTS = 10;
/** Shares of batches and events. */
const SHARES = {
  newUser: 0.15,
  hotUser: 0.1,
  /** Reports of other systems, once there are actions. */
  reported: 0.08,
  /** Of those of other users: events of people with several ids. */
  circles: 0.3,
  aged: 0.03,
  late: 0.05,
  future: 0.01,
  skewed: 0.05,
};
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Maximum age of an aged batch, each time it is sent: within the 24 h for which ids are remembered. */
const AGED_HOURS = { min: 1, max: 20 };
/** Events of the last half a minute or so. */
const RETRACTED_AMONG = 1_000;
/** Various time zones, so that at any hour it is day for some users: quiet hours follow the user's own time. */
const TIME_ZONES = ['UTC', 'America/New_York', 'Asia/Tokyo', 'Europe/Berlin', 'Asia/Kolkata', 'Pacific/Auckland'];

export interface Batch {
  readonly events: ReadonlyArray<Record<string, unknown> & { messageId: string }>;
  readonly sentAt: string | undefined;
  /** Kept and sent again until the end of the run. */
  readonly aged: boolean;
}

/**
 * Users and their events: some events are late, in the future, or from a clock a day off; one user is hot; some people have
 * several ids, and are anonymous at first. Other systems report what came of actions.
 */
export class Population {
  /** User of each event that has one, by `messageId`; reports are nobody's events. */
  readonly userOf = new Map<string, string>();
  readonly #seed: number;
  readonly #random: () => number;
  readonly #circles: Circles;
  readonly #reports: Reports;
  #hotShare = SHARES.hotUser;
  #users = 0;
  #made = 0;

  constructor(seed: number, random: () => number) {
    this.#seed = seed;
    this.#random = random;
    this.#circles = new Circles(random);
    this.#reports = new Reports(random);
  }

  /** Share of the events that belong to the hot user; undefined for the usual share. */
  set hotShare(share: number | undefined) {
    this.#hotShare = share ?? SHARES.hotUser;
  }

  /** One of the newest events of a user, to be taken back: his id and that of the message. Never of the hot one, who has too many. */
  drawEvent(random: () => number): readonly [userId: string, messageId: string] | undefined {
    const recent = [...this.userOf].filter(([, userId]) => !userId.startsWith('hot')).slice(-RETRACTED_AMONG);
    const drawn = recent[Math.floor(random() * recent.length)];
    return drawn && [drawn[1], drawn[0]];
  }

  /** Two ids of one person, to be parted. */
  drawPair(random: () => number): IdPair | undefined {
    return this.#circles.drawPair(random);
  }

  /** From now on something of this action is reported, perhaps. */
  noteAction(action: DecidedAction): void {
    this.#reports.note(action);
  }

  makeBatch(nowMs: number): Batch {
    // A client whose clock is a day off sends a wrong `sentAt` too, from which ingest derives the offset.
    const skewMs = this.#random() < SHARES.skewed ? (this.#random() < 0.5 ? -DAY_MS : DAY_MS) : 0;
    const aged = skewMs === 0 && this.#random() < SHARES.aged;
    const agoMs = aged ? (AGED_HOURS.min + this.#random() * (AGED_HOURS.max - AGED_HOURS.min)) * HOUR_MS : 0;
    const atMs = nowMs + skewMs - agoMs;
    const events = Array.from({ length: BATCH_EVENTS }, () => this.#makeReport(atMs) ?? this.#makeEvent(atMs));
    return { events, sentAt: skewMs === 0 ? undefined : new Date(nowMs + skewMs).toISOString(), aged };
  }

  #makeReport(nowMs: number): Batch['events'][number] | undefined {
    const report = this.#reports.draw();
    if (report === undefined || this.#random() >= SHARES.reported) return undefined;
    const timestamp = new Date(nowMs + this.#pickDelay()).toISOString();
    return { ...report, messageId: `${this.#seed}-${this.#made++}`, timestamp };
  }

  #makeEvent(nowMs: number): Record<string, unknown> & { messageId: string } {
    const kind = this.#random();
    const { email, ...ids } = this.#drawIds();
    const messageId = `${this.#seed}-${this.#made++}`;
    if (ids.userId !== undefined) this.userOf.set(messageId, ids.userId);
    const number = Number((ids.userId ?? ids.anonymousId)?.split('-').at(-1));
    const event = {
      ...ids,
      messageId,
      timestamp: new Date(nowMs + this.#pickDelay()).toISOString(),
      context: {
        timezone: TIME_ZONES[number % TIME_ZONES.length] ?? 'UTC',
        ...(email !== undefined && { traits: { email } }),
      },
    };
    if (ids.type === 'alias') return event;
    if (kind < 0.3) return { ...event, type: 'page', name: 'Product' };
    const value = Math.round(this.#random() * 20_000) / 100;
    if (kind < 0.36)
      return { ...event, type: 'track', event: 'Order Refunded', properties: { order_id: messageId, revenue: value } };
    const products = [{ product_id: `sku-${Math.floor(this.#random() * 200)}`, quantity: 1, price: value }];
    const properties = { order_id: messageId, revenue: value, products };
    return { ...event, type: 'track', event: 'Order Completed', properties };
  }

  #drawIds(): DrawnIds {
    if (this.#random() < this.#hotShare) return { userId: 'hot-0' };
    return this.#random() < SHARES.circles ? this.#circles.draw() : { userId: this.#pickUser() };
  }

  #pickUser(): string {
    if (this.#users === 0 || this.#random() < SHARES.newUser) return `user-${this.#users++}`;
    return `user-${Math.floor(this.#random() * this.#users)}`;
  }

  /** Milliseconds from now to the event's own timestamp. */
  #pickDelay(): number {
    const kind = this.#random();
    if (kind < SHARES.late) return -Math.floor(this.#random() * 40 * DAY_MS);
    if (kind < SHARES.late + SHARES.future) return Math.floor(this.#random() * 400 * DAY_MS);
    return 0;
  }
}
