import { type AcceptedEvent, AcceptedRecord, encodeControl, encodeMessage, toPartition } from '@perennial/contracts';
import { isStronger, LEDGER_KEY, type ProfileRef } from '@perennial/identity';
import { toSha256 } from '@perennial/kernel';
import type { Draw } from '../draw.js';
import { toLayout } from '../layout.js';
import type { SourceWrite } from '../source.js';
import { type Circle, drawCircles, drawSaid, MAIL_STRENGTH, type Said } from './circles.js';

/** When the worlds with joins begin, in log time. */
export const NOON_MS = Date.UTC(2024, 4, 15, 12);

/** In force from the first record on, in some worlds: then ids are named by ties. */
export const MAIL_RULES = Buffer.from(`version: 1
kinds:
  email: { strength: ${MAIL_STRENGTH}, read: [traits.email], hash: sha256 }
`);

const EVENTS = { from: 20, to: 60 };
const BURST = { from: 1, to: 10 };
const TICK_STEP_MS = { from: 1_000, to: 900_000 };
const AMOUNT_CENTS = { from: 1, to: 10_000 };
const LATE_MS = { from: 0, to: 40 * 86_400_000 };
const SHARES = {
  mails: 0.4,
  repeated: 0.08,
  again: 0.08,
  tick: 0.1,
  garbage: 0.02,
  parting: 0.06,
  late: 0.1,
  order: 0.6,
};
/** After the faults, so that healed processors have work. */
const LAST_WORDS_AFTER_MS = 1500;
const LAST_WORDS = 4;

interface JoinInputOptions {
  readonly partitions: number;
  readonly untilMs: number;
}

/** Events of people with several ids, which are joined by what they say, and parted here and there. */
export function drawJoinInput(draw: Draw, options: JoinInputOptions): SourceWrite[] {
  const people = new People(draw, options);
  const count = draw.whole(EVENTS);
  const burst = draw.whole(BURST);
  for (let i = 0; i < count; i++) people.write(Math.floor(((i - (i % burst)) * options.untilMs) / count));
  for (let i = 0; i < LAST_WORDS; i++)
    people.write(options.untilMs + Math.floor((i * LAST_WORDS_AFTER_MS) / LAST_WORDS));
  people.tickAll(options.untilMs + LAST_WORDS_AFTER_MS);
  return people.writes;
}

class People {
  readonly writes: SourceWrite[] = [];
  readonly #draw: Draw;
  readonly #partitions: number;
  readonly #hasMails: boolean;
  readonly #circles: readonly Circle[];
  readonly #sent: Array<{ readonly key: string; readonly value: Buffer }> = [];
  #logTimeMs = NOON_MS;
  #messages = 0;
  #changes = 0;

  constructor(draw: Draw, { partitions }: JoinInputOptions) {
    this.#draw = draw;
    this.#partitions = partitions;
    this.#hasMails = draw.chance(SHARES.mails);
    this.#circles = drawCircles(draw, { hasMails: this.#hasMails });
    if (!this.#hasMails) return;
    const rollout = { kind: 'identity', number: 1, hash: toSha256(MAIL_RULES) };
    this.#toAll(0, encodeControl(AcceptedRecord, { kind: 'rollout', rollout }));
  }

  write(atMs: number): void {
    const chance = (share: number) => this.#draw.chance(share);
    if (chance(SHARES.tick)) this.tickAll(atMs);
    else if (chance(SHARES.garbage))
      this.#send(atMs, this.#draw.pick(this.#circles).mail?.key ?? 'k', Buffer.from('garbage'));
    else if (chance(SHARES.parting)) this.#part(atMs);
    else if (this.#sent.length > 0 && chance(SHARES.again)) {
      const { key, value } = this.#draw.pick(this.#sent);
      this.#send(atMs, key, value);
    } else this.#say(atMs, drawSaid(this.#draw, this.#draw.pick(this.#circles)));
  }

  tickAll(atMs: number): void {
    this.#logTimeMs += this.#draw.whole(TICK_STEP_MS);
    this.#toAll(atMs, encodeControl(AcceptedRecord, { kind: 'tick', timeMs: this.#logTimeMs }));
  }

  #say(atMs: number, said: Said): void {
    const value = encodeMessage(AcceptedRecord, { record: { $case: 'event', value: this.#toEvent(said) } });
    this.#send(atMs, said.self.key, value);
    this.#sent.push({ key: said.self.key, value });
    if (this.#draw.chance(SHARES.repeated)) this.#send(atMs, said.self.key, value);
  }

  #toEvent({ self, device, mail, alias }: Said): AcceptedEvent {
    const messageId = `m${this.#messages++}`;
    const isOrder = this.#draw.chance(SHARES.order);
    const receivedAtMs = this.#logTimeMs + this.#messages;
    const lateMs = this.#draw.chance(SHARES.late) ? this.#draw.whole(LATE_MS) : 0;
    return {
      messageId,
      sourceId: 's',
      type: 'track',
      name: isOrder ? 'Order Completed' : 'Product Viewed',
      timestampMs: receivedAtMs - lateMs,
      receivedAtMs,
      subject: self.subject,
      anonymous: self.key.includes('device'),
      propertiesJson: Buffer.from(JSON.stringify(isOrder ? { order_id: messageId } : {})),
      amount: isOrder ? this.#draw.whole(AMOUNT_CENTS) / 100 : undefined,
      timeZone: '',
      currency: '',
      plan: undefined,
      traits: undefined,
      forwardedTo: undefined,
      namedIds: [
        ...[device, mail].flatMap((profile) =>
          profile === undefined ? [] : [{ profile, alias: false, ...(this.#hasMails && { tie: true }) }],
        ),
        ...(alias === undefined ? [] : [{ profile: alias, alias: true }]),
      ],
    };
  }

  /** Somebody asks that two ids be parted, joined or not. */
  #part(atMs: number): void {
    const circle = this.#draw.pick(this.#circles);
    if (circle.parted === undefined) return;
    const [a, b] =
      circle.parted === 'users'
        ? (circle.users as [ProfileRef, ProfileRef])
        : [this.#draw.pick(circle.users), this.#draw.pick(circle.devices)];
    const [stronger, weaker] = isStronger(a, b) ? [a, b] : [b, a];
    const id = `change ${++this.#changes}`;
    const change = {
      id,
      kind: 'unmerge',
      weaker,
      stronger,
      by: 'somebody',
      reason: 'a mistake',
      atMs: this.#logTimeMs,
    };
    this.#send(atMs, LEDGER_KEY, encodeMessage(AcceptedRecord, { record: { $case: 'identityChange', value: change } }));
  }

  #toAll(atMs: number, value: Buffer): void {
    for (let partition = 0; partition < this.#partitions; partition++) this.#add(atMs, { partition, key: null, value });
  }

  #send(atMs: number, key: string, value: Buffer): void {
    this.#add(atMs, { partition: toPartition(key, this.#partitions), key: Buffer.from(key), value });
  }

  #add(atMs: number, record: Pick<SourceWrite['record'], 'partition' | 'key' | 'value'>): void {
    const [topic = ''] = toLayout({ kind: 'joins', stages: 1 }).topics;
    this.writes.push({ atMs, record: { topic, headers: {}, ...record } });
  }
}
