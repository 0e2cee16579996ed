import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { compileFeatures, ECOMMERCE_FEATURES } from '@perennial/feature-engine';
import { JoinedSpill } from './joined-spill.js';

const spec = compileFeatures(ECOMMERCE_FEATURES);
const root = mkdtempSync(join(tmpdir(), 'joined-spill-'));
afterAll(() => rmSync(root, { recursive: true }));

const order = { timestampMs: 500, orders: 1, revenue: 0.1 };
const event = { messageId: 'm1', timestampMs: 500, label: 'Order Completed', itemIds: ['p'], value: null };
const { state: engine } = spec.apply(spec.empty, {
  messageId: 'm1',
  type: 'track',
  name: 'Order Completed',
  timestampMs: 500,
  properties: {},
  worth: 0.1,
  rate: 1,
});

describe('states of joined profiles on disk', () => {
  it('come back as they were given, by cutoff and key, with orders by key', async () => {
    const spill = new JoinedSpill(join(root, 'a'), spec);
    spill.addState(3, { key: 'a', at: 0, engine, sequence: [event] });
    spill.addState(3, { key: 'b', at: 2, engine: spec.empty, sequence: [] });
    for (const key of ['a', 'b', 'a']) spill.addOrder(3, key, order);
    const part = await spill.read(3);
    expect([...(part?.states ?? [])].map(([at, keys]) => [at, [...keys.keys()]])).toEqual([
      [0, ['a']],
      [2, ['b']],
    ]);
    const read = spill.decode(part?.states.get(0)?.get('a') ?? '');
    expect(read.sequence).toEqual([event]);
    expect(spec.vector(read.engine, 9_000)).toEqual(spec.vector(engine, 9_000));
    expect(part?.orders.get('a')).toEqual([order, order]);
    expect(await spill.read(4)).toBeUndefined();
    spill.close();
    expect(existsSync(join(root, 'a'))).toBe(false);
  });

  it('are no more than a file may hold', () => {
    const spill = new JoinedSpill(join(root, 'b'), spec, 100);
    spill.addOrder(0, 'a', order);
    expect(() => spill.addOrder(0, 'a', order)).toThrow('more states than an export merges');
    spill.close();
  });
});
