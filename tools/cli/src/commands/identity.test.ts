import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import type { ApiClient } from '@perennial/client';
import { toExitCode } from '../exit-codes.js';
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
      joined: known
        ? [
            { profileKey: 'key-9', id: null, kind: 'email', since: AT },
            { profileKey: 'key-2', id: 'anna', kind: 'user', since: AT },
          ]
        : [],
      members: known
        ? [
            { profileKey: 'key-1', kind: null, joined: true, at: AT },
            { profileKey: 'key-3', kind: 'email', joined: false, at: AT },
          ]
        : [],
      cutOff: known ? 2 : 0,
      namedBy: known ? 40 : 0,
      namedByMax: known ? 32 : null,
    };
  },
} as unknown as ApiClient;

const commands: string[][] = [];
const runCommand = async (service: string, args: readonly string[]) => {
  commands.push([service, ...args]);
  if (args.includes('--check') && args.includes('carl'))
    return '{"number":null,"weaker":"carl","stronger":"anna","failure":{"number":4,"reason":"a gap"}}\n';
  return args.includes('--check')
    ? '{"number":null,"kind":"unmerge","weaker":"bert","stronger":"anna"}\n'
    : 'change 1: bert leaves anna\n';
};
const run = (...args: string[]) =>
  createIdentityCommand(() => ({ client, runCommand })).parseAsync(args, { from: 'user' });

describe('identity show', () => {
  it('tells whom a device belongs to and which ids do', async () => {
    await run('show', 'phone', '--anonymous');
    expect(asked).toEqual([['getIdentity', { path: { id: 'phone' }, query: { kind: 'anonymous' } }]]);
    expect(printed.text.split('\n')).toEqual([
      'id       phone (anonymous)',
      'profile  key-1',
      `joined   key-9 (email, sealed) since ${AT}`,
      `joined   anna (user) since ${AT}`,
      `member   key-1 joined ${AT}`,
      `member   key-3 (email) asked, without events or of another profile, ${AT}`,
      '2 further ids were cut off: too many for one person',
      '40 profiles have named this id; 8 were cut off, since 32 may',
      '',
    ]);
  });

  it('asks for an id of the kind given', async () => {
    await run('show', 'anna@example.com', '--kind', 'email', '--json');
    expect(asked.at(-1)).toEqual(['getIdentity', { path: { id: 'anna@example.com' }, query: { kind: 'email' } }]);
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

describe('identity merge, unmerge and log', () => {
  it('only says what an unmerge would do, without --yes', async () => {
    await run('unmerge', 'anna', 'bert');
    expect(commands.at(-1)).toEqual([
      'feature-store',
      'identities',
      'unmerge',
      '--check',
      '--json',
      '--',
      'anna',
      'bert',
    ]);
    expect(printed.text).toBe('bert would leave anna: nothing was changed; say --yes to part them\n');
  });

  it('says that the same has failed before', async () => {
    await run('unmerge', 'anna', 'carl');
    expect(printed.text).toBe(
      'change 4, the same, failed: a gap\ncarl would leave anna: nothing was changed; say --yes to part them\n',
    );
    await run('unmerge', 'anna', 'carl', '--json');
    expect(printed.text).toContain('"failure": {');
  });

  it('sends ids of other kinds as they are written', async () => {
    await run('unmerge', 'anonymous:phone', 'email:shop@example.com', '--yes', '--by', 'olga');
    expect(commands.at(-1)?.slice(-2)).toEqual(['anonymous:phone', 'email:shop@example.com']);
  });

  it('sends who asks and why', async () => {
    await run('unmerge', 'anna', 'anonymous:phone', '--yes', '--by', 'olga', '--reason', 'two people');
    expect(commands.at(-1)).toEqual([
      ...[
        'feature-store',
        'identities',
        'unmerge',
        '--by=olga',
        '--reason=two people',
        '--',
        'anna',
        'anonymous:phone',
      ],
    ]);
    expect(printed.text).toBe('change 1: bert leaves anna\n');
    await run('merge', '--by', 'olga', '--json', '--', '-x', 'bert');
    expect(commands.at(-1)).toEqual([
      ...['feature-store', 'identities', 'merge', '--by=olga', '--reason=', '--json', '--', '-x', 'bert'],
    ]);
  });

  it('prints the log', async () => {
    await run('log', '--json');
    expect(commands.at(-1)).toEqual(['feature-store', 'identities', 'log', '--json']);
  });
});

describe('identity check and rules', () => {
  const folder = mkdtempSync(join(tmpdir(), 'identity-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const write = (text: string) => {
    const path = join(folder, 'mine.yaml');
    writeFileSync(path, text);
    return path;
  };

  it('list the kinds of a file, and of the default', async () => {
    const path = write(
      'version: 1\nkinds: { email: { strength: 200, read: [traits.email], normalise: email, hash: sha256, unique: true } }\n',
    );
    await run('check', path);
    expect(printed.text).toBe(`${path} is valid: 3 kinds of ids, the strongest first: user, email, anonymous\n`);
    await run('rules', path);
    expect(printed.text.split('\n').slice(1, -1)).toEqual([
      'user       240  as it comes   unique                userId',
      'email      200  email sha256  unique, 128 profiles  traits.email',
      'anonymous  16   as it comes                         anonymousId',
    ]);
  });

  it('are those of the file that the platform begins with', async () => {
    await run('rules');
    await run('rules', join(__dirname, '../../../../infra/defaults/identity.yaml'));
    const [first, second, ...both] = printed.text.trim().split('\n');
    expect([first, second]).toEqual(both);
  });

  it.each([
    ['ecommerce', 'user, email, phone, loyalty_card, anonymous'],
    ['saas', 'user, email, stripe_customer, anonymous'],
    ['knowledge', 'user, unionid, phone, openid, device, anonymous'],
    ['media', 'user, email, device, anonymous'],
  ])('know those of the preset %s', async (preset, names) => {
    await run('check', preset);
    expect(printed.text).toContain(`the strongest first: ${names}\n`);
  });

  it('name every problem with file, line and column, as wrong configuration', async () => {
    const path = write('version: 1\nkinds:\n  email: { strength: 300, reed: [traits.email] }\n');
    const error: unknown = await run('check', path).catch((thrown: unknown) => thrown);
    expect(toExitCode(error)).toBe(2);
    expect(String(error)).toContain('mine.yaml:3:22: a whole number from 1 to 255 is needed here');
    expect(String(error)).toContain('mine.yaml:3:27: unknown key "reed", did you mean "read"?');
    expect(toExitCode(await run('check', join(folder, 'none')).catch((thrown: unknown) => thrown))).toBe(2);
  });
});
