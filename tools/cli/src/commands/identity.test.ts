import { describe, expect, it } from '@jest/globals';
import type { ApiClient } from '@perennial/client';
import { capturePrinted } from '../printed-test-kit.js';
import { createIdentityCommand } from './identity.js';

const printed = capturePrinted();

const AT = '2026-03-01T12:00:00.000Z';
const asked: unknown[] = [];
const client = {
  async call(operation: string, input: { path: { id: string }; query: { kind: string } }) {
    asked.push([operation, input]);
    const { id } = input.path;
    const known = id !== 'nobody';
    return {
      id,
      kind: input.query.kind,
      profileKey: 'key-1',
      known,
      joined: known ? [{ profileKey: 'key-2', id: 'anna', kind: 'user', since: AT }] : [],
      members: known
        ? [
            { profileKey: 'key-1', joined: true, at: AT },
            { profileKey: 'key-3', joined: false, at: AT },
          ]
        : [],
      cutOff: known ? 2 : 0,
    };
  },
} as unknown as ApiClient;

const run = (...args: string[]) => createIdentityCommand(() => ({ client })).parseAsync(args, { from: 'user' });

describe('identity show', () => {
  it('tells whom a device belongs to and which ids do', async () => {
    await run('show', 'phone', '--anonymous');
    expect(asked).toEqual([['getIdentity', { path: { id: 'phone' }, query: { kind: 'anonymous' } }]]);
    expect(printed.text.split('\n')).toEqual([
      'id       phone (anonymous)',
      'profile  key-1',
      `joined   anna (user) since ${AT}`,
      `member   key-1 joined ${AT}`,
      `member   key-3 asked, without events or of another profile, ${AT}`,
      '2 further ids were cut off: too many for one person',
      '',
    ]);
  });

  it('says so when nobody has heard of an id', async () => {
    await run('show', 'nobody');
    expect(printed.text).toBe('id       nobody (user)\nprofile  key-1, never seen\n');
  });

  it('prints JSON', async () => {
    await run('show', 'nobody', '--json');
    expect(JSON.parse(printed.text)).toMatchObject({ id: 'nobody', known: false, members: [] });
  });
});
