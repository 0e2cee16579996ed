import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { exploreExposed } from './explorer.js';
import { type SyntheticEntry, type SyntheticEvent, writeSyntheticArchive } from './synthetic/archive-writer.js';

const DAY_MS = 86_400_000;
const START_MS = Date.UTC(2026, 0, 1);
const KEYS = ['a', 'b', 'c', 'd'].map((name) => name.repeat(21));
const [ANN, BEN, CAT, DAN] = KEYS as [string, string, string, string];

function event(profileKey: string, day: number, more: Partial<SyntheticEvent> = {}): SyntheticEvent {
  const timestampMs = START_MS + day * DAY_MS;
  const messageId = `${profileKey}-${day}-${more.name ?? 'Product Viewed'}`;
  const base = { profileKey, messageId, type: 'track', name: 'Product Viewed', properties: {} };
  return { ...base, timestampMs, receivedAtMs: timestampMs, currency: '', ...more };
}

const order = (profileKey: string, day: number, amount: number) =>
  event(profileKey, day, { name: 'Order Completed', amount });

const takenBack = (profileKey: string, day: number, backOnDay: number): SyntheticEntry => {
  const messageId = `${profileKey}-${day}-Order Completed`;
  return { retracted: { profileKey, messageId }, isEarly: false, receivedAtMs: START_MS + backOnDay * DAY_MS };
};

const EVENTS: readonly SyntheticEntry[] = [
  order(ANN, 5, 10),
  order(BEN, 8, 7),
  order(ANN, 11, 20.5),
  event(BEN, 12, { type: 'outcome', name: 'unsubscribed' }),
  order(ANN, 25, 99),
  event(CAT, 42, {}),
  event(BEN, 43, { type: 'outcome', name: 'opened' }),
  event(ANN, 48, {}),
];

describe('exploreExposed', () => {
  const archive = mkdtempSync(join(tmpdir(), 'exposed-'));
  afterAll(() => rmSync(archive, { recursive: true }));
  beforeAll(async () => {
    const target = { folder: archive, namespace: 'live', partitions: 2, fileMs: DAY_MS };
    await writeSyntheticArchive(target, EVENTS);
  });

  const toExposure = (profileKey: string, day: number) => ({ profileKey, group: 'x', atMs: START_MS + day * DAY_MS });
  const ask = (more: object = {}) =>
    exploreExposed(
      { archive, namespace: 'live' },
      {
        exposures: [toExposure(ANN, 10), toExposure(BEN, 10), toExposure(CAT, 10), toExposure(DAN, 45)],
        windowMs: 7 * DAY_MS,
        ...more,
      },
    );

  it('counts what came in the window after the exposure, and in the one before', async () => {
    const { persons } = await ask();
    expect(
      persons.map(({ profileKey, orders, revenue, revenueBefore }) => [profileKey, orders, revenue, revenueBefore]),
    ).toEqual([
      [ANN, 1, 20.5, 10],
      [BEN, 0, 0, 7],
      [CAT, 0, 0, 0],
      [DAN, 0, 0, 0],
    ]);
    expect(persons.map(({ unsubscribed }) => unsubscribed)).toEqual([false, true, false, false]);
    expect(persons.map(({ isWindowOver }) => isWindowOver)).toEqual([true, true, true, false]);
  });

  it('knows the groups in other experiments of a person whose profiles have joined', async () => {
    const toRef = (key: string, strength: number) => ({ key, strength, subject: Buffer.alloc(0) });
    const join = { self: toRef(ANN, 1), target: toRef(BEN, 2), alias: false };
    const entries = [...EVENTS, { join, receivedAtMs: START_MS + 50 * DAY_MS }];
    await writeSyntheticArchive({ folder: archive, namespace: 'joins', partitions: 2, fileMs: DAY_MS }, entries);
    const toOther = (profileKey: string, day: number, group: string) => ({ ...toExposure(profileKey, day), group });
    const others = new Map([
      ['tone', [toOther(BEN, 12, 'plain'), toOther(ANN, 11, 'warm')]],
      ['time', [toOther(CAT, 11, 'late')]],
    ]);
    const exposures = [toExposure(ANN, 10), toExposure(BEN, 20), toExposure(CAT, 20)];
    const options = { exposures, others, windowMs: 7 * DAY_MS };
    const { persons } = await exploreExposed({ archive, namespace: 'joins' }, options);
    expect(persons.map((person) => [person.profileKey, Object.fromEntries(person.others)])).toEqual([
      [BEN, { tone: 'warm' }],
      [CAT, { time: 'late' }],
    ]);
  });

  it('leaves out orders that were taken back, before the exposure and after it', async () => {
    const entries = [...EVENTS, order(BEN, 49, 30), takenBack(ANN, 5, 49), takenBack(ANN, 11, 49)];
    await writeSyntheticArchive({ folder: archive, namespace: 'back', partitions: 2, fileMs: DAY_MS }, entries);
    const exposures = [toExposure(ANN, 10), toExposure(BEN, 10)];
    const { persons } = await exploreExposed({ archive, namespace: 'back' }, { exposures, windowMs: 7 * DAY_MS });
    expect(persons.map(({ orders, revenue, revenueBefore }) => [orders, revenue, revenueBefore])).toEqual([
      [0, 0, 0],
      [0, 0, 7],
    ]);
  });

  it('counts a return in the week after 30 days, of what the person did, once that week is over', async () => {
    const { persons } = await ask();
    expect(persons.map(({ returned }) => returned[0])).toEqual([false, false, true, undefined]);
    expect(persons[0]?.returned.slice(1)).toEqual([undefined, undefined]);
  });

  it('knows nothing after the end that it is given', async () => {
    const { persons } = await ask({ untilMs: START_MS + 12 * DAY_MS });
    expect(persons.map(({ profileKey, isWindowOver }) => [profileKey, isWindowOver])).toEqual([
      [ANN, false],
      [BEN, false],
      [CAT, false],
    ]);
    expect(persons[0]?.revenue).toBe(20.5);
  });
});
