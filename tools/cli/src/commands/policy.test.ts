import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { toExitCode } from '../exit-codes.js';
import { capturePrinted } from '../printed-test-kit.js';
import { createPolicyCommand } from './policy.js';

const STRATEGY = 'on: scored, channel: push, template: t, cooldown: 1d';
const POLICY = `version: 1
channels: { push: {}, email: { caps: [{ max: 0, per: 1d }] } }
strategies:
  a: { stages: [new], ${STRATEGY} }
  b: { stages: [loyal], ${STRATEGY}, when: features.orders_count_all >= 1 }
`;

describe('policy', () => {
  const folder = mkdtempSync(join(tmpdir(), 'policy-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  function write(name: string, content: string): string {
    const path = join(folder, name);
    writeFileSync(path, content);
    return path;
  }

  const printed = capturePrinted();

  async function run(...args: string[]): Promise<string> {
    const from = printed.text.length;
    await createPolicyCommand().parseAsync(args, { from: 'user' });
    return printed.text.slice(from);
  }
  const fail = (...args: string[]): Promise<unknown> => run(...args).catch((thrown: unknown) => thrown);

  it('checks the default policy, which is valid', async () => {
    expect(await run('check', 'default')).toContain('default is valid: 13 strategies, 0 doubts');
    expect(JSON.parse(await run('check', 'default', '--json'))).toEqual({
      valid: true,
      strategies: 13,
      problems: [],
      findings: [],
    });
  });

  it('names every problem with its place and the nearest word, as wrong configuration', async () => {
    const path = write(
      'bad.yaml',
      POLICY.replace('[new]', '[nwe]').replace('features.orders_count_all', 'features.order_count_all'),
    );
    const error = await fail('check', path);
    expect(toExitCode(error)).toBe(2);
    expect(String(error)).toContain(`${path}:4:17: unknown stage "nwe", did you mean "new"?`);
    expect(String(error)).toContain('did you mean "features.orders_count_all"?');
    expect(toExitCode(await fail('check', join(folder, 'none.yaml')))).toBe(2);
    expect(toExitCode(await fail('diff', path, path))).toBe(2);
  });

  it('rejects a strategy that can never fire, and says what is doubtful', async () => {
    const never = write('never.yaml', POLICY.replace('channel: push', 'channel: email'));
    const error = await fail('check', never);
    expect(toExitCode(error)).toBe(2);
    expect(String(error)).toContain(
      `${never}:4:6: strategy "a" can never fire: the channel "email"'s cap allows 0 contacts`,
    );
    const always = write('always.yaml', POLICY.replace('cooldown: 1d', 'cooldown: 0s'));
    expect(await run('check', always)).toMatch(
      /doubtful: strategy "a" fires at every score.*\n.*2 strategies, 1 doubts/,
    );
  });

  it('says what one policy has that another has not', async () => {
    const before = write('before.yaml', POLICY);
    const after = write('after.yaml', POLICY.replace('cooldown: 1d', 'cooldown: 2d').replace('  b:', '  c:'));
    expect(await run('diff', before, before)).toBe('both decide the same\n');
    expect(await run('diff', before, after)).toMatch(
      /^changed +strategy +a +cooldown +1 d -> 2 d\nremoved +strategy +b *\nadded +strategy +c *\n$/,
    );
    expect(JSON.parse(await run('diff', before, after, '--json')).changes).toHaveLength(3);
  });

  it('says whose arm a change of an experiment moves', async () => {
    const trial = `${POLICY}experiments:\n  trial: { salt: s, strategies: [a], arms: { usual: {}, none: { strategies: [] } } }\n`;
    const before = write('trial.yaml', trial);
    const after = write('salted.yaml', trial.replace('salt: s', 'salt: other'));
    const sentence =
      /the change of salt of the experiment "trial" moves (49|50)\.\d % of its profiles to another arm; /;
    expect(await run('diff', before, after)).toMatch(sentence);
    expect(JSON.parse(await run('diff', before, after, '--json')).moves).toMatchObject([{ because: ['salt'], out: 0 }]);
    expect(await run('check', after)).not.toContain('moves');
    expect(await run('check', after, '--before', before)).toMatch(sentence);
    expect(JSON.parse(await run('check', after, '--before', before, '--json')).moves).toHaveLength(1);
    expect(toExitCode(await fail('check', after, '--before', join(folder, 'none.yaml')))).toBe(2);
  });

  it.each(['ecommerce', 'knowledge', 'media', 'saas'])(
    'finds in the preset %s that every strategy can fire, in each part of the lifecycle',
    async (name) => {
      const checked = JSON.parse(await run('check', name, '--json'));
      expect(checked).toMatchObject({ valid: true, findings: [] });
      expect(checked.strategies).toBeGreaterThanOrEqual(12);
      const text = await run('explain', name);
      for (const part of ['Acquisition', 'Activation', 'Retention', 'Renewal', 'Referral', 'Win-back']) {
        expect(text).toContain(`${part}.`);
      }
      for (const stage of [
        'prospect',
        'new',
        'activated',
        'engaged',
        'loyal',
        'at_risk',
        'dormant',
        'churned',
        'won_back',
      ]) {
        expect(text).toMatch(new RegExp(`(becomes|is) [a-z_, or]*\\b${stage}\\b`));
      }
    },
  );

  it('knows options: checks, compares and explains them', async () => {
    const withOptions = (channels: string) =>
      POLICY.replace('channel: push, template', `options: { channel: [${channels}], tone: [warm, plain] }, template`);
    const both = write('options.yaml', withOptions('push, email'));
    const one = write('option.yaml', withOptions('push'));
    const wrong = write('wrong-options.yaml', withOptions('psh'));
    expect(await run('check', one)).toContain('2 strategies, 0 doubts');
    expect(await run('check', both)).toContain('has options that are never open');
    expect(String(await fail('check', wrong))).toContain('unknown channel "psh", did you mean "push"?');
    expect(await run('diff', one, both)).toContain('channel: push; tone: warm, plain -> channel: push, email; tone');
    expect(await run('explain', both)).toContain('In one of 4 options (channel push or email; tone warm or plain)');
  });

  it('explains a policy in sentences', async () => {
    const text = await run('explain', 'default');
    expect(text).toContain('5 % of all profiles get nothing, for comparison.');
    expect(text).toMatch(
      /welcome +Thanks for the first order\. When a profile becomes new, it sends "welcome" by email\./,
    );
    expect(JSON.parse(await run('explain', 'default', '--json')).strategies).toHaveLength(13);
  });
});
