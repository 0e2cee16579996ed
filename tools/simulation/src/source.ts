import { encodePosition, HEADERS, toPartition } from '@perennial/contracts';
import type { OutgoingRecord } from '@perennial/kafka';
import type { Draw } from './draw.js';
import { SOURCE, type ToyInput, toToyName, toToyTopic } from './toy.js';

/** A record that the outside world writes to the first topic. */
export interface SourceWrite {
  readonly atMs: number;
  readonly record: OutgoingRecord;
  /** Its position is made up: no source has written it. */
  readonly forged?: true;
}

/** Marks forged records for the checker; processors know nothing of it. */
const FORGED_HEADER = 'forged';

export function isForged({ headers }: Pick<OutgoingRecord, 'headers'>): boolean {
  return headers[FORGED_HEADER] !== undefined;
}

export interface SourceOptions {
  readonly keys: readonly string[];
  readonly partitions: number;
  readonly stages: number;
  readonly untilMs: number;
}

const RECORDS = { from: 12, to: 45 };
/** Number of records that arrive at once. */
const BURST = { from: 1, to: 10 };
const LOG_TIME_STEP_MS = { from: 1, to: 9 };
/** Records at the end, after all faults, so that healed processors have work. */
const LAST_WORDS = 4;
const LAST_WORDS_AFTER_MS = 1500;
const FORGED = { from: 1, to: 8 };

/**
 * The input from outside, in order: records, ticks and rollouts of one upstream producer for each partition, which
 * sometimes sends its last few again; records without a position; ids that occur twice.
 */
export function drawInput(draw: Draw, options: SourceOptions): SourceWrite[] {
  const source = new Source(draw, options);
  const count = draw.whole(RECORDS);
  const burst = draw.whole(BURST);
  for (let i = 0; i < count; i++) source.write(Math.floor(((i - (i % burst)) * options.untilMs) / count));
  for (let i = 0; i < LAST_WORDS; i++)
    source.write(options.untilMs + Math.floor((i * LAST_WORDS_AFTER_MS) / LAST_WORDS));
  source.tickAll(options.untilMs + LAST_WORDS_AFTER_MS);
  return source.writes;
}

/**
 * What an outsider writes to the topics between the stages: garbage and records that could be decoded, with positions
 * that are made up. A position just above a log's end is left out: once the log has grown that far, nothing tells it
 * from a true one (docs/RELIABILITY.md).
 */
export function drawForged(draw: Draw, { keys, partitions, stages, untilMs }: SourceOptions): SourceWrite[] {
  return Array.from({ length: draw.whole(FORGED) }, (): SourceWrite => {
    const stage = draw.whole({ from: 0, to: stages - 1 });
    const partition = draw.whole({ from: 0, to: partitions - 1 });
    const body: ToyInput = { id: `forged-${draw.whole({ from: 0, to: 1e9 })}`, add: 1 };
    const upstream = stage === 0 ? SOURCE.processor : toToyName(stage - 1);
    const garbage = { value: Buffer.from('\xff garbage', 'latin1'), offset: draw.pick([0, 3, 20, 999_999_999_999]) };
    const decodable = { value: Buffer.from(JSON.stringify(body)), offset: 999_999_999_999 };
    const { value, offset } = draw.chance(0.5) ? garbage : decodable;
    const position = draw.pick([
      `${upstream}/${partition}:${offset}:0`,
      `${upstream}/${partition + 1}:${decodable.offset}:0`,
      `${toToyName(stage)}/${partition}:${decodable.offset}:0`,
      `nobody/${partition}:1:0`,
      'no position',
      `${upstream}/${partition}:${'9'.repeat(40)}:0`,
    ]);
    const headers = { [HEADERS.position]: position, [FORGED_HEADER]: 'yes' };
    const key = Buffer.from(draw.pick(keys));
    const record = { topic: toToyTopic(stage), partition, key, value, headers };
    return { atMs: draw.whole({ from: 0, to: untilMs }), record, forged: true };
  });
}

class Source {
  readonly writes: SourceWrite[] = [];
  readonly #draw: Draw;
  readonly #options: SourceOptions;
  readonly #sent: OutgoingRecord[][];
  #logTimeMs = 0;
  #ids = 0;

  constructor(draw: Draw, options: SourceOptions) {
    this.#draw = draw;
    this.#options = options;
    this.#sent = Array.from({ length: options.partitions }, () => []);
  }

  write(atMs: number): void {
    const kind = this.#draw.fraction();
    if (kind < 0.15) this.tickAll(atMs);
    else if (kind < 0.2) this.#rollOutAll(atMs);
    else if (kind < 0.3) this.#repeat(atMs);
    else this.#record(atMs);
  }

  tickAll(atMs: number): void {
    this.#logTimeMs += this.#draw.whole(LOG_TIME_STEP_MS);
    this.#toAll(atMs, { kind: 'tick', timeMs: this.#logTimeMs });
  }

  #rollOutAll(atMs: number): void {
    const number = this.#draw.whole({ from: 1, to: 4 });
    this.#toAll(atMs, { kind: 'rollout', rollout: { kind: 'factor', number, hash: '' } });
  }

  #toAll(atMs: number, body: unknown): void {
    for (let partition = 0; partition < this.#options.partitions; partition++) {
      this.#send(atMs, { partition, key: null, value: Buffer.from(JSON.stringify(body)) });
    }
  }

  /** The upstream producer is uncertain, and sends its last few records again. */
  #repeat(atMs: number): void {
    const sent = this.#sent[this.#draw.whole({ from: 0, to: this.#options.partitions - 1 })] ?? [];
    for (const record of sent.slice(-this.#draw.whole({ from: 1, to: 4 }))) this.writes.push({ atMs, record });
  }

  #record(atMs: number): void {
    const key = this.#draw.pick(this.#options.keys);
    const partition = toPartition(key, this.#options.partitions);
    const value = this.#draw.chance(0.04) ? Buffer.from('no json') : Buffer.from(JSON.stringify(this.#body()));
    this.#send(atMs, { partition, key: Buffer.from(key), value });
    if (this.#draw.chance(0.1)) this.#send(atMs, { partition, key: Buffer.from(key), value });
  }

  #body(): ToyInput {
    const kind = this.#draw.fraction();
    return {
      id: `id-${this.#ids++}`,
      add: this.#draw.whole({ from: 1, to: 20 }),
      ...(kind < 0.12 && { move: this.#draw.pick(this.#options.keys) }),
      ...(kind >= 0.12 && kind < 0.16 && { close: true }),
      ...(kind >= 0.16 && kind < 0.22 && { poison: this.#draw.whole({ from: 0, to: this.#options.stages - 1 }) }),
    };
  }

  /** Mostly with a position; a record of an outsider has none, and is written once. */
  #send(atMs: number, { partition, key, value }: Pick<OutgoingRecord, 'partition' | 'key' | 'value'>): void {
    const sent = this.#sent[partition] as OutgoingRecord[];
    const base = { topic: toToyTopic(0), partition, key, value };
    if (key !== null && this.#draw.chance(0.15)) {
      this.writes.push({ atMs, record: { ...base, headers: {} } });
      return;
    }
    const position = encodePosition({ source: `${SOURCE.processor}/${partition}`, offset: sent.length, ordinal: 0 });
    const record = { ...base, headers: { [HEADERS.position]: position } };
    sent.push(record);
    this.writes.push({ atMs, record });
  }
}
