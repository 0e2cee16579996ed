import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { DelayLine } from './delay-line.js';

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

it('lets nothing overtake what was to wait longer', () => {
  const line = new DelayLine();
  const out: string[] = [];
  const push = (delayMs: number, name: string) => line.push(delayMs, () => out.push(name));
  push(0, 'at once');
  expect(out).toEqual(['at once']);
  push(200, 'slow');
  jest.advanceTimersByTime(150);
  push(0, 'behind it');
  push(100, 'slow again');
  expect(out).toEqual(['at once']);
  jest.advanceTimersByTime(50);
  expect(out).toEqual(['at once', 'slow', 'behind it']);
  jest.advanceTimersByTime(50);
  expect(out).toEqual(['at once', 'slow', 'behind it', 'slow again']);
  push(0, 'at once again');
  expect(out).toHaveLength(5);
});
