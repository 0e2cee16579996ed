import { readFileSync, unlinkSync } from 'node:fs';
import type { Log, LogProducer, OutgoingRecord } from '@perennial/kafka';
import type { PartitionStore } from '@perennial/keyed-processor';
import type { CrashPoint } from '../crash-points.js';

/** Ends the process when it next reaches the point that a file names. */
export interface CrashHere {
  readonly log: (log: Log) => Log;
  readonly store: (store: PartitionStore) => PartitionStore;
}

/**
 * Creates the function that ends the process at a point.
 * @param file names the point. It is removed before the process ends, so that the next process of this instance
 * survives.
 * @param end does not return in a real process.
 */
export function createCrashHere(file: string, end: () => void): CrashHere {
  const isWanted = (point: CrashPoint) => readWanted(file) === point;
  const reach = (point: CrashPoint) => {
    if (!isWanted(point)) return;
    unlinkSync(file);
    end();
  };
  const send = async (producer: LogProducer, records: readonly OutgoingRecord[]) => {
    // Ticks and rollouts alone are written all the time, and a crash there would test little.
    if (records.every(({ key }) => key === null)) return producer.send(records);
    if (records.length > 1 && isWanted('in mid publish')) {
      await producer.send(records.slice(0, Math.ceil(records.length / 2)));
      reach('in mid publish');
    }
    await producer.send(records);
    reach('after publish');
  };
  return {
    log: (log) => ({
      ...log,
      async createProducer(options) {
        const producer = await log.createProducer(options);
        return { send: (records) => send(producer, records), close: () => producer.close() };
      },
    }),
    store: (store) => ({
      ...store,
      async commit(fence, request) {
        reach('before commit');
        await store.commit(fence, request);
        reach('after commit');
      },
    }),
  };
}

function readWanted(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    // No crash is requested.
    return undefined;
  }
}
