import { describe, expect, it } from '@jest/globals';
import { AppError } from '@perennial/kernel';
import { createContentKeeper, findRefusal } from './content-keeper.js';

const KIND = { kind: 'policy', entriesMax: 2 };
const toText = (content: Buffer) => content.toString();

describe('a content keeper', () => {
  it('reads each content once, also for those who ask together', async () => {
    const loads: string[] = [];
    const load = async (hash: string) => {
      loads.push(hash);
      return Buffer.from(hash.toUpperCase());
    };
    const keep = createContentKeeper({ load, read: toText }, KIND);
    expect(await Promise.all([keep('a'), keep('b'), keep('a')])).toEqual(['A', 'B', 'A']);
    await keep('a');
    expect(loads).toEqual(['a', 'b']);
    await keep('c');
    await keep('b');
    expect(loads).toEqual(['a', 'b', 'c', 'b']);
  });

  it.each([
    ['PostgreSQL is away', new AppError('dependency_unavailable', 'no answer')],
    // Though its code is one that `read` refuses with: the bytes were never seen.
    ['the store says so', new AppError('config_invalid', 'no answer')],
    ['the bytes in the store are damaged', new AppError('contract_violation', 'no answer')],
  ])('waits for bytes that may yet be had: %s', async (_, trouble) => {
    let isAway = true;
    const load = async () => {
      if (isAway) throw trouble;
      return Buffer.from('content');
    };
    const keep = createContentKeeper({ load, read: toText }, KIND);
    const unavailable = { code: 'dependency_unavailable', retriable: true };
    await expect(keep('h')).rejects.toMatchObject({ ...unavailable, message: 'policy h cannot be used: no answer' });
    await expect(findRefusal(keep('h'))).rejects.toMatchObject(unavailable);
    isAway = false;
    expect(await keep('h')).toBe('content');
    expect(await findRefusal(keep('h'))).toBeUndefined();
  });

  it.each(['config_invalid', 'model_refused'] as const)('refuses what the bytes alone forbid (%s)', async (code) => {
    const read = () => {
      throw new AppError(code, 'line 3: no such stage');
    };
    const keep = createContentKeeper({ load: async () => Buffer.from('x'), read }, KIND);
    await expect(keep('h')).rejects.toMatchObject({ code: 'content_refused', retriable: false });
    expect(await findRefusal(keep('h'))).toEqual({ reason: 'policy h is refused: line 3: no such stage' });
  });

  it('takes any other trouble with reading for this machine’s own', async () => {
    const read = () => {
      throw new Error('out of memory');
    };
    const keep = createContentKeeper({ load: async () => Buffer.from('x'), read }, KIND);
    await expect(findRefusal(keep('h'))).rejects.toMatchObject({ code: 'dependency_unavailable', retriable: true });
  });
});
