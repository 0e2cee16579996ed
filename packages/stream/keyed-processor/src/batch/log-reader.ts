import type { Rollout } from '@perennial/contracts';
import type { LogRecord } from '@perennial/kafka';
import type { Decoded, ProcessorDefinition } from '../definition.js';
import { EMPTY_META } from '../store/store.js';
import { decodeBatch } from './decode-batch.js';
import { loadRollouts } from './load-rollouts.js';
import { locateRecord } from './located-record.js';
import { TRUSTED_ENDS } from './source-ends.js';

/** How far a log was read: what decides about later records. */
export interface LogReading {
  readonly inForce: readonly Rollout[];
  readonly applied: Readonly<Record<string, { offset: number; ordinal: number }>>;
}

/** Records that count, each with what it holds. */
export interface LogReader<Input> {
  read(
    records: readonly LogRecord[],
  ): Promise<ReadonlyArray<{ readonly offset: number; readonly decoded: Decoded<Input> }>>;
  readonly reading: LogReading;
}

/**
 * Reads a partition's records as the processor does, without states: poison, repeats and rejected rollouts are left
 * out. It begins at the partition's first record, or where `from` was taken. Throws as `loadRollout` does.
 */
export function createLogReader<Input>(
  definition: Pick<
    ProcessorDefinition<never, Input, never>,
    'name' | 'inputTopic' | 'sources' | 'decode' | 'loadRollout'
  >,
  from: LogReading = { inForce: [], applied: {} },
): LogReader<Input> {
  let reading = from;
  const processor = definition as ProcessorDefinition<never, Input, never>;
  return {
    async read(records) {
      const located = records.map((record) => locateRecord(definition, record));
      const decoded = decodeBatch(processor, located, { ...EMPTY_META, ...reading }, TRUSTED_ENDS);
      const entries = await loadRollouts(decoded, reading.inForce, async (rollout, inForce) =>
        definition.loadRollout?.(rollout, inForce),
      );
      const applied = { ...reading.applied };
      const inForce = new Map(reading.inForce.map((rollout) => [rollout.kind, rollout]));
      const counted: Array<{ offset: number; decoded: Decoded<Input> }> = [];
      for (const entry of entries) {
        if (entry.position !== undefined && entry.result !== 'repeated') {
          applied[entry.position.source] = { offset: entry.position.offset, ordinal: entry.position.ordinal };
        }
        if (entry.result !== 'decoded') continue;
        if (entry.decoded.kind === 'rollout') inForce.set(entry.decoded.rollout.kind, entry.decoded.rollout);
        counted.push({ offset: entry.record.offset, decoded: entry.decoded });
      }
      reading = { inForce: [...inForce.values()], applied };
      return counted;
    },
    get reading() {
      return reading;
    },
  };
}
