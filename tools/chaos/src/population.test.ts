import { describe, expect, it } from '@jest/globals';
import { createSeededRandom } from '@perennial/kernel';
import { BATCH_EVENTS, type Batch, Population } from './population.js';

const NOW_MS = Date.UTC(2026, 0, 2);
const BATCHES = 500;

function make(seed: number, hotShare?: number): { population: Population; batches: Batch[] } {
  const population = new Population(seed, createSeededRandom(seed));
  population.hotShare = hotShare;
  return { population, batches: Array.from({ length: BATCHES }, () => population.makeBatch(NOW_MS)) };
}

describe('a population of users', () => {
  it('does the same again with the same seed', () => {
    expect(make(7).batches).toEqual(make(7).batches);
    expect(make(7).batches).not.toEqual(make(8).batches);
  });

  it('tells whose each event is, under an id of its own', () => {
    const { population, batches } = make(7);
    const events = batches.flatMap((batch) => batch.events);
    expect(new Set(events.map(({ messageId }) => messageId)).size).toBe(BATCHES * BATCH_EVENTS);
    for (const { userId, anonymousId, messageId } of events) {
      expect(population.userOf.get(messageId)).toBe(userId);
      expect(userId ?? anonymousId).toEqual(expect.any(String));
    }
  });

  it('has a user with more events than any other, as many as it is asked for', () => {
    const share = (hotShare?: number) => {
      const users = [...make(7, hotShare).population.userOf.values()];
      return users.filter((user) => user === 'hot-0').length / users.length;
    };
    expect(share()).toBeCloseTo(0.1, 1);
    expect(share(0.5)).toBeCloseTo(0.5, 1);
  });

  it('reports what came of actions once there are any, as no event of the user', () => {
    const { population, batches } = make(7);
    population.noteAction({ actionId: 'a1', userId: 'user-1', channel: 'email' });
    const later = Array.from({ length: BATCHES }, () => population.makeBatch(NOW_MS));
    const reportsOf = (list: readonly Batch[]) =>
      list
        .flatMap(({ events }) => events)
        .filter(({ type }) => ['outcome', 'contact', 'consent'].includes(String(type)));
    expect(reportsOf(batches)).toEqual([]);
    expect(reportsOf(later).length / (BATCHES * BATCH_EVENTS)).toBeCloseTo(0.08, 1);
    for (const { messageId } of reportsOf(later)) expect(population.userOf.has(messageId)).toBe(false);
    const ids = [...batches, ...later].flatMap(({ events }) => events.map(({ messageId }) => messageId));
    expect(new Set(ids).size).toBe(2 * BATCHES * BATCH_EVENTS);
  });

  it('has clocks a day off, which say so, and events of hours ago, of the future and of long ago', () => {
    const { batches } = make(7);
    const skewed = batches.filter(({ sentAt }) => sentAt !== undefined);
    expect(skewed.length / BATCHES).toBeCloseTo(0.05, 1);
    expect(batches.filter(({ aged }) => aged).length).toBeGreaterThan(0);
    const agesMs = batches.flatMap(({ events }) =>
      events.map(({ timestamp }) => NOW_MS - Date.parse(String(timestamp))),
    );
    expect(Math.min(...agesMs)).toBeLessThan(-86_400_000);
    expect(Math.max(...agesMs)).toBeGreaterThan(30 * 86_400_000);
  });
});
