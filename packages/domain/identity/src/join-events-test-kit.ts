import { expect } from '@jest/globals';
import { JoinedKeys, type NamedId, type ProfileRef } from './index.js';
import type { JoinWorld } from './join-world-test-kit.js';

/** An event, and the ids that it names. */
export interface Reported {
  readonly self: ProfileRef;
  readonly named: readonly NamedId[];
}

type Draw = (below: number) => number;

export const toDraw =
  (schedule: Iterator<number>): Draw =>
  (below) =>
    below <= 1 ? 0 : Number(schedule.next().value) % below;

/** Plays events to their end: they come in their order, the partitions step in any. */
export function report(world: JoinWorld, reported: readonly Reported[], draw: Draw): void {
  for (const [id, { self, named }] of reported.entries()) {
    world.append({ kind: 'event', self, id, named });
    for (let steps = draw(6); steps > 0; steps--) world.step();
  }
  let steps = 0;
  while (world.step()) expect(++steps).toBeLessThan(10_000);
}

/** Each event counts once, where it would be had all events carried the final id. */
export function expectEachCountedOnce(world: JoinWorld, reported: readonly Reported[]): void {
  const expected = new Map<string, number[]>();
  for (const [id, { self }] of reported.entries()) {
    const root = world.rootOf(self.key);
    expected.set(root, [...(expected.get(root) ?? []), id]);
  }
  const found = [...world.profiles].filter(([, { ids }]) => ids.length > 0);
  expect(new Map(found.map(([key, { ids }]) => [key, ids.toSorted((a, b) => a - b)]))).toEqual(expected);
}

/** The records `join` alone say who belongs to whom. */
export function expectFoundAgain(world: JoinWorld, ids: readonly ProfileRef[]): void {
  const joined = new JoinedKeys();
  for (const record of world.joins) joined.join(record);
  for (const { key } of ids) expect([key, joined.rootOf(key)]).toEqual([key, world.rootOf(key)]);
  for (const [key, root] of joined.roots()) expect(root).not.toBe(key);
}
