import { describe, expect, it } from '@jest/globals';
import { findRunning, takeChange, takeResult } from './ledger.js';

const anna = { key: 'anna', strength: 240, subject: Buffer.alloc(0) };
const phone = { key: 'phone', strength: 16, subject: Buffer.alloc(0) };
const change = { id: 'c', kind: 'unmerge', weaker: phone, stronger: anna, by: 'olga', reason: '', atMs: 1 } as const;
const toResult = (state: 'done' | 'not_joined' | 'interrupted', attempt: number) =>
  ({ number: 1, attempt, state, hash: state === 'done' ? 'document' : '', atMs: 2 }) as const;

describe('the ledger at the second attempt of an unmerge', () => {
  const begun = takeChange(undefined, { change, atMs: 1 });
  const { node, sent } = takeResult(begun.node, toResult('interrupted', 1));

  it('begins it again, once', () => {
    expect(sent).toMatchObject([{ kind: 'begin', number: 1, attempt: 2 }]);
    expect(takeResult(node, toResult('interrupted', 1))).toEqual({ node, sent: [] });
    expect(findRunning(node, { number: 1, attempt: 1 })).toBeUndefined();
    expect(findRunning(node, { number: 1, attempt: 2 })).toMatchObject({ state: 'running' });
  });

  it('takes the end of the first one, which has parted them, and keeps its document', () => {
    const ended = takeResult(node, toResult('done', 1)).node;
    expect(ended).toMatchObject({ document: 'document', entries: [{ state: 'done' }] });
    // What the second one finds is no answer any more.
    expect(takeResult(ended, toResult('not_joined', 2))).toEqual({ node: ended, sent: [] });
  });

  it('takes no end of an attempt that has not begun, and no other answer to the first one', () => {
    for (const result of [toResult('done', 3), toResult('not_joined', 1)])
      expect(takeResult(node, result)).toEqual({ node, sent: [] });
  });
});
