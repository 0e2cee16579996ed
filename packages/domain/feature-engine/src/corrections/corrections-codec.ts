import { type ByteReader, type ByteWriter, damaged } from '../bytes.js';
import type { FeatureEvent } from '../event.js';
import { toStamp } from '../id-memory.js';
import { readMemory, writeMemory } from '../id-memory-codec.js';
import { type Added, type Contribution, type Corrections, type KeptOrder, TAKEN_BACK_MEMORY } from './corrections.js';
import { toKeptOut } from './kept-out.js';

/** A contribution as JSON; null for what an event does not have. */
type StoredContribution = readonly [
  messageId: string,
  type: string,
  name: string,
  timestampMs: number,
  properties: unknown,
  context: unknown,
  worth: number | null,
  /** `none` for one that has no rate. */
  rate: number | null | 'none',
  added: Added,
  /** Absent where it is not known, as in states from before it was kept; null too where a zone follows. */
  currency?: string | null,
  /** Absent in states from before it was kept. */
  timeZone?: string,
];

interface StoredText {
  readonly kept: ReadonlyArray<readonly [string, number, number, readonly StoredContribution[]]>;
  readonly remaining: Corrections['remaining'];
  readonly pending?: readonly StoredContribution[];
  readonly keptOut?: ReadonlyArray<readonly [id: string, atMs: number, properties: readonly string[]]>;
}

/** JSON with its length, then the ids that were taken back. */
export function writeCorrections(writer: ByteWriter, corrections: Corrections, asOfMs: number): void {
  const { kept, remaining, pending, keptOut = [] } = corrections;
  const text: StoredText = {
    kept: kept.map(({ id, version, atMs, contributions }) => [id, version, atMs, contributions.map(toContribution)]),
    remaining,
    ...(pending === undefined ? {} : { pending: pending.map(toContribution) }),
    ...(keptOut.length === 0 ? {} : { keptOut: keptOut.map(({ id, atMs, properties }) => [id, atMs, properties]) }),
  };
  const bytes = Buffer.from(JSON.stringify(text));
  writer.varint(bytes.length);
  writer.raw(bytes);
  writeMemory(writer, corrections.takenBack, toStamp(asOfMs, TAKEN_BACK_MEMORY));
}

export function readCorrections(reader: ByteReader, asOfMs: number): Corrections {
  const bytes = reader.raw(reader.count(1));
  let text: StoredText;
  try {
    text = JSON.parse(bytes.toString()) as StoredText;
  } catch {
    throw damaged('corrections are no JSON');
  }
  const kept = text.kept.map(
    ([id, version, atMs, contributions]): KeptOrder => ({
      id,
      version,
      atMs,
      contributions: contributions.map(fromContribution),
    }),
  );
  const pending = text.pending === undefined ? {} : { pending: text.pending.map(fromContribution) };
  const takenBack = readMemory(reader, toStamp(asOfMs, TAKEN_BACK_MEMORY));
  const keptOut = (text.keptOut ?? []).map(([id, atMs, properties]) => ({ id, atMs, properties }));
  return { kept, takenBack, remaining: text.remaining, ...pending, ...toKeptOut(keptOut) };
}

function toContribution({ event, added }: Contribution): StoredContribution {
  const { messageId, type, name, timestampMs, properties, context, worth, rate, currency, timeZone } = event;
  const stored = rate === undefined ? 'none' : rate;
  const said = [properties ?? null, context ?? null, worth ?? null] as const;
  const known: [string?] = currency === undefined ? [] : [currency];
  const more: [(string | null)?, string?] = timeZone === undefined ? known : [currency ?? null, timeZone];
  return [messageId, type, name, timestampMs, ...said, stored, added, ...more];
}

function fromContribution(stored: StoredContribution): Contribution {
  const [messageId, type, name, timestampMs, properties, context, worth, rate, added, currency = null, timeZone] =
    stored;
  const event: FeatureEvent = {
    messageId,
    type,
    name,
    timestampMs,
    properties,
    ...(context === null ? {} : { context }),
    ...(worth === null ? {} : { worth }),
    ...(rate === 'none' ? {} : { rate }),
    ...(currency === null ? {} : { currency }),
    ...(timeZone === undefined ? {} : { timeZone }),
  };
  return { event, added };
}
