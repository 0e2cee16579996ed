import { describe, expect, it } from '@jest/globals';
import type { ApiClient } from '@perennial/client';
import { AcceptedEvent, AcceptedRecord } from '@perennial/contracts';
import type { LogRecord } from '@perennial/kafka';
import { ArchiveCopy } from './archive-copy.js';
import { TRIAL } from './demo-policy.js';
import { describeTrial } from './render-trial.js';
import { reportTrial } from './trial.js';

const DAY_MS = 86_400_000;
const START_MS = Date.UTC(1997, 0, 1);
const PERSONS = 40;
const toKey = (index: number) => `p${String(index).padStart(20, '0')}`;
const toArm = (index: number) => (index % 2 === 0 ? 'usual' : 'holdout');

/** The first order of each at the exposure, a second of every fourth 20 days later; 200 days on, one event more. */
function createCopy(): ArchiveCopy {
  const copy = new ArchiveCopy();
  const offsets = [0, 0];
  const add = (partition: number, key: string | null, record: AcceptedRecord['record']) => {
    const offset = offsets[partition] ?? 0;
    offsets[partition] = offset + 1;
    const value = Buffer.from(AcceptedRecord.encode({ record }).finish());
    const content = { key: key === null ? null : Buffer.from(key), value, headers: {} };
    copy.add({ topic: 't', partition, offset, timestampMs: Date.UTC(2026, 0, 1), ...content } satisfies LogRecord);
  };
  const order = (index: number, day: number) => {
    const timestampMs = START_MS + day * DAY_MS;
    const own = { messageId: `m${index}-${day}`, type: 'track', name: 'Order Completed', amount: 10, timestampMs };
    const value = { ...AcceptedEvent.decode(new Uint8Array()), receivedAtMs: timestampMs, ...own };
    add(index % 2, toKey(index), { $case: 'event', value });
  };
  for (let index = 0; index < PERSONS; index++) {
    order(index, 0);
    add(index % 2, null, { $case: 'tick', value: { timeMs: START_MS } });
    if (index % 4 === 0) order(index, 20);
  }
  order(0, 200);
  return copy;
}

/** Lags for the first two looks. */
function createClient(experiment: string) {
  let looks = 0;
  const arms = ['usual', 'holdout'].map((arm) => ({ experiment, layer: 'default', arm, propensity: 0.5 }));
  const exposures = Array.from({ length: PERSONS }, (_, index) => ({
    profileKey: toKey(index),
    arm: toArm(index),
    firstAt: new Date(START_MS).toISOString(),
  }));
  const call = async (name: string) =>
    name === 'listExperiments' ? { arms, lag: looks++ < 2 ? 1 : 0 } : { exposures, next: null };
  return { call } as unknown as ApiClient;
}

const clock = { now: () => 0, steadyMs: () => 0, wait: async () => undefined };

describe('reportTrial', () => {
  it('reports who ordered again, from the records of the log, when all exposures have come', async () => {
    const client = createClient(TRIAL);
    const trial = await reportTrial({ client, copy: createCopy(), namespace: 'demo', clock });
    expect(trial).toMatchObject({ experiment: TRIAL, persons: PERSONS, control: 'usual', lag: 0 });
    const conversion = trial?.metrics.find(({ name }) => name === 'conversion');
    expect(conversion?.arms.map(({ arm, persons, value }) => [arm, persons, value])).toEqual([
      ['usual', 20, 0.5],
      ['holdout', 20, 0],
    ]);
    const lines = trial === undefined ? [] : describeTrial(trial, '--namespace demo');
    expect(lines.filter((line) => /^(conversion|revenue) /.test(line))).toHaveLength(6);
    expect(lines.some((line) => line.startsWith('complained') || line.endsWith(' '))).toBe(false);
    expect(lines.at(-1)).toContain(
      `./perennial experiments report ${TRIAL} --window 90d --planned 2000 --namespace demo`,
    );
  });

  it('has no report where another policy is in force', async () => {
    const client = createClient('mine');
    expect(await reportTrial({ client, copy: new ArchiveCopy(), namespace: 'demo', clock })).toBeUndefined();
  });
});
