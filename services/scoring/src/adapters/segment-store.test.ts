import { describe, expect, it } from '@jest/globals';
import type { LogRecord } from '@perennial/kafka';
import type { Pool, PoolClient } from '@perennial/postgres';
import { createSegmentStore } from './segment-store.js';

describe('changes of segments', () => {
  it('are counted once they are committed', async () => {
    const rows = [{ segment: 'buyers', change: 'entered', count: 1 }];
    const client = { query: async () => ({ rows }) } as unknown as PoolClient;
    const counted: unknown[] = [];
    const telemetry = { changesStored: (stored: unknown) => counted.push(stored) };
    const store = createSegmentStore({} as Pool, { schema: 's', telemetry });
    const value = Buffer.from(JSON.stringify({ profileKey: 'p', number: 1, reasons: [], evidence: {} }));
    const acts: Array<() => void> = [];
    await store.insert(client, [{ value } as LogRecord], (act) => acts.push(act));
    expect([counted, acts.length]).toEqual([[], 1]);
    for (const act of acts) act();
    expect(counted).toEqual([rows]);
  });
});
