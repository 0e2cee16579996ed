import { describe, expect, it } from '@jest/globals';
import { createSeededRandom } from '@perennial/kernel';
import { Circles, type DrawnIds } from './circles.js';

const EVENTS = 4_000;

function draw(seed: number): DrawnIds[] {
  const circles = new Circles(createSeededRandom(seed));
  return Array.from({ length: EVENTS }, () => circles.draw());
}

describe('people with several ids', () => {
  const drawn = draw(7);

  it('are the same again with the same seed', () => expect(draw(7)).toEqual(drawn));

  it('are anonymous at first, known on several devices, and share one', () => {
    const usersOf = new Map<string, Set<string>>();
    const devicesOf = new Map<string, Set<string>>();
    for (const { userId, anonymousId } of drawn) {
      if (userId === undefined || anonymousId === undefined) continue;
      usersOf.set(anonymousId, (usersOf.get(anonymousId) ?? new Set()).add(userId));
      devicesOf.set(userId, (devicesOf.get(userId) ?? new Set()).add(anonymousId));
    }
    expect(drawn.filter(({ userId }) => userId === undefined).length).toBeGreaterThan(EVENTS / 5);
    expect([...usersOf.values()].some(({ size }) => size > 1)).toBe(true);
    expect([...devicesOf.values()].some(({ size }) => size > 1)).toBe(true);
    const before = drawn.findIndex(({ userId, anonymousId }) => userId === undefined && usersOf.has(anonymousId ?? ''));
    expect(before).toBeGreaterThanOrEqual(0);
  });

  it('say who they were: a user, a device, one after another, and both directions one after the other', () => {
    const aliases = drawn.filter(({ type }) => type === 'alias');
    const pairs = aliases.map(({ userId, previousId }) => `${userId} ${previousId}`);
    const opposite = aliases.map(({ userId, previousId }) => `${previousId} ${userId}`);
    expect(aliases.some(({ previousId }) => previousId?.startsWith('device'))).toBe(true);
    expect(aliases.some(({ previousId }) => previousId?.endsWith('-2'))).toBe(true);
    expect(pairs.some((pair, index) => pair === opposite[index + 1])).toBe(true);
  });

  it('can be parted: a device from who named it, and users who said that they are one', () => {
    const circles = new Circles(createSeededRandom(7));
    const random = createSeededRandom(1);
    expect(circles.drawPair(random)).toBeUndefined();
    const said = new Set<string>();
    for (let event = 0; event < EVENTS; event++) {
      const { userId, anonymousId, previousId } = circles.draw();
      said.add(anonymousId === undefined ? `${userId} ${previousId}` : `${userId} anonymous:${anonymousId}`);
    }
    const pairs = Array.from({ length: 100 }, () => circles.drawPair(random)?.join(' ') ?? '');
    expect(pairs.some((pair) => pair.includes('anonymous'))).toBe(true);
    expect(pairs.some((pair) => !pair.includes('anonymous'))).toBe(true);
    expect(pairs.filter((pair) => said.has(pair)).length).toBeGreaterThan(50);
  });
});
