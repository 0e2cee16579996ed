import { HEADERS, isAfter, type Position, parsePosition } from '@perennial/contracts';
import type { LogRecord } from '@perennial/kafka';
import { toMessage } from '@perennial/kernel';
import type { Decoded, ProcessorDefinition } from '../definition.js';
import type { PartitionMeta } from '../store/store.js';

/** A record of the batch with the result of decoding it. */
export type BatchEntry<Input> = { readonly record: LogRecord; readonly position: Position | undefined } & (
  | { readonly result: 'decoded'; readonly decoded: Decoded<Input> }
  /** A tick with a key: the redriven dead letter of that profile's timer. It advances no other profile's time. */
  | { readonly result: 'wake'; readonly key: string }
  | { readonly result: 'repeated' }
  | { readonly result: 'poison'; readonly cause: string }
);

/** Decodes a batch: records applied before are marked as repeats, undecodable ones as poison. */
export function decodeBatch<State, Input, Evidence>(
  definition: ProcessorDefinition<State, Input, Evidence>,
  records: readonly LogRecord[],
  meta: PartitionMeta,
): Array<BatchEntry<Input>> {
  const applied = new Map(Object.entries(meta.applied));
  return records.map((record) => {
    if (record.unreadable !== undefined) {
      return { record, position: undefined, result: 'poison', cause: record.unreadable.message };
    }
    const position = parsePosition(record.headers[HEADERS.position]);
    if (position !== undefined) {
      const last = applied.get(position.source);
      if (last !== undefined && !isAfter(position, last)) return { record, position, result: 'repeated' };
      applied.set(position.source, position);
    }
    try {
      const decoded = definition.decode(record);
      if (decoded.kind === 'tick' && record.key !== null && record.key.length > 0)
        return { record, position, result: 'wake', key: record.key.toString() };
      return { record, position, result: 'decoded', decoded };
    } catch (error) {
      return { record, position, result: 'poison', cause: toMessage(error) };
    }
  });
}
