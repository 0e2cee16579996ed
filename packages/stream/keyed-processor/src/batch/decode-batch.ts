import { isAfter, type Position } from '@perennial/contracts';
import type { LogRecord } from '@perennial/kafka';
import { toMessage } from '@perennial/kernel';
import type { Decoded, ProcessorDefinition } from '../definition.js';
import type { PartitionMeta } from '../store/store.js';
import { type LocatedRecord, toBeyondCause } from './located-record.js';
import type { KnownEnds } from './source-ends.js';

/**
 * A record of the batch with the result of decoding it. `position` is the one that counts as applied with the record:
 * poison has none, so that garbage with a made-up position cannot silence what follows.
 */
export type BatchEntry<Input> = { readonly record: LogRecord; readonly position: Position | undefined } & (
  | { readonly result: 'decoded'; readonly decoded: Decoded<Input> }
  /** A tick with a key: the redriven dead letter of that profile's timer. It advances no other profile's time. */
  | { readonly result: 'wake'; readonly key: string }
  | { readonly result: 'repeated' }
  | { readonly result: 'poison'; readonly cause: string }
);

/** Decodes a batch: records applied before are marked as repeats, undecodable and forged ones as poison. */
export function decodeBatch<State, Input, Evidence>(
  definition: ProcessorDefinition<State, Input, Evidence>,
  records: readonly LocatedRecord[],
  meta: PartitionMeta,
  ends: KnownEnds,
): Array<BatchEntry<Input>> {
  const applied = new Map(Object.entries(meta.applied));
  return records.map((located) => {
    const { record, origin } = located;
    if (record.unreadable !== undefined) return toPoison(record, record.unreadable.message);
    if (origin === 'forged') return toPoison(record, located.cause);
    if (origin === 'outside') return decodeRecord(definition, record, undefined);
    const { position, topic, partition } = located;
    const end = located.below ?? ends.endOf(topic, partition);
    const last = applied.get(position.source);
    // A highest position beyond the log's end was forged before such positions were rejected: it counts for nothing.
    if (last !== undefined && last.offset < end && !isAfter(position, last))
      return { record, position, result: 'repeated' };
    const entry = decodeRecord(definition, record, position);
    // Garbage keeps the cause that it would have at any other position: a log's end depends on when it is read.
    if (entry.result !== 'poison' && position.offset >= end) return toPoison(record, toBeyondCause(located));
    if (entry.position !== undefined) applied.set(position.source, position);
    return entry;
  });
}

function decodeRecord<State, Input, Evidence>(
  definition: ProcessorDefinition<State, Input, Evidence>,
  record: LogRecord,
  position: Position | undefined,
): BatchEntry<Input> {
  try {
    const decoded = definition.decode(record);
    if (decoded.kind === 'tick' && record.key !== null && record.key.length > 0)
      return { record, position, result: 'wake', key: record.key.toString() };
    return { record, position, result: 'decoded', decoded };
  } catch (error) {
    return toPoison(record, toMessage(error));
  }
}

function toPoison(record: LogRecord, cause: string): BatchEntry<never> {
  return { record, position: undefined, result: 'poison', cause };
}
