import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { createPolicyCommand } from '../commands/policy.js';
import { toExitCode } from '../exit-codes.js';
import { capturePrinted } from '../printed-test-kit.js';

/** Draws of a coupon with 1/4 and of nothing with 3/4; half of the coupons are rewarded, a ninth of the rest. */
const DRAWS = Array.from({ length: 240 }, (_, row) =>
  row % 4 === 0 ? ['coupon', '0.25', row % 8 === 0 ? '1' : '0', '3'] : ['none', '0.75', row % 12 < 2 ? '1' : '0', '5'],
);
const HEADER = 'option,propensity,reward,age';

describe('policy evaluate', () => {
  const folder = mkdtempSync(join(tmpdir(), 'evaluate-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const printed = capturePrinted();

  function write(name: string, content: string): string {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  }
  async function run(...args: string[]): Promise<string> {
    const from = printed.text.length;
    await createPolicyCommand().parseAsync(['evaluate', ...args], { from: 'user' });
    return printed.text.slice(from);
  }
  const fail = (...args: string[]): Promise<unknown> => run(...args).catch((thrown: unknown) => thrown);
  const log = write('draws.csv', [HEADER, ...DRAWS.map((fields) => fields.join())].join('\n'));

  it('says what a policy would have brought, with interval, effective rows and largest weight', async () => {
    const text = await run('--log', log, '--policy', 'coupon');
    expect(text).toMatch(/^estimate +reward +from +to +effective rows +largest weight\n/);
    expect(text).toMatch(/\nIPS +0\.5000 +0\.\d+ +0\.\d+ +60\.0 +4\.000\n/);
    expect(text).toContain('240 rows, 0 bad ones left out');
    expect(text).not.toContain('ALARM');
  });

  it('reads JSON lines alike, and probabilities from a file', async () => {
    const names = HEADER.split(',');
    const asLines = DRAWS.map((fields) =>
      JSON.stringify(Object.fromEntries(fields.map((field, at) => [names[at], at === 0 ? field : Number(field)]))),
    );
    const jsonl = write('draws.jsonl', asLines.join('\n'));
    const policy = write('half.json', '{"coupon": 0.5, "none": 0.4, "fax": 0.1}');
    const args = ['--policy', policy, '--context', 'age', '--json'];
    const [a, b] = [JSON.parse(await run('--log', log, ...args)), JSON.parse(await run('--log', jsonl, ...args))];
    expect(a).toEqual(b);
    expect(a).toMatchObject({ rows: 240, problems: [], unseen: ['fax'] });
    expect(a.figures.meanWeight.estimate).toBeCloseTo(0.9, 9);
    expect(await run('--log', log, '--policy', policy)).toContain('the log never drew fax: no figure knows its reward');
  });

  it('names all bad rows with their place, and leaves them out when asked to', async () => {
    const rows = [
      'coupon,0,1,3',
      'none,0.5,,4',
      'none,2,0,5',
      'none,0.5',
      'none,nan,0,5',
      'none,0.5,1,x',
      'none,0.5,1,6',
      'none,0.5,0,6',
    ];
    const bad = write('bad.csv', [HEADER, ...rows].join('\n'));
    const args = ['--log', bad, '--policy', 'none', '--context', 'age'];
    const error = await fail(...args);
    expect(toExitCode(error)).toBe(2);
    expect((error as Error).message.split('\n')).toEqual([
      `${bad}:5: it has 2 fields, and the header 4`,
      `${bad}:2: propensity not in (0, 1]: "0"`,
      `${bad}:3: reward not a number: "NaN"`,
      `${bad}:4: propensity not in (0, 1]: "2"`,
      `${bad}:6: propensity not in (0, 1]: "NaN"`,
      `${bad}:7: features not numbers: "NaN"`,
    ]);
    expect(JSON.parse(await run(...args, '--skip-bad', '--json'))).toMatchObject({
      rows: 2,
      figures: { ips: { estimate: 1 } },
    });
  });

  it.each([
    ['a missing file', ['--log', 'none.csv', '--policy', 'uniform'], 'cannot read none.csv'],
    ['a policy that is none', ['--log', log, '--policy', 'cupon'], 'did you mean "coupon"?'],
    [
      'columns that are missing',
      ['--log', write('short.csv', 'option,reward\na,1'), '--policy', 'a'],
      ':1: the column propensity is missing',
    ],
    ['an empty log', ['--log', write('empty.csv', ''), '--policy', 'a'], 'the file is empty'],
    ['no JSON', ['--log', write('no.jsonl', '{}\n['), '--policy', 'uniform'], 'no.jsonl:2: it is no JSON object'],
    [
      'no probabilities',
      ['--log', log, '--policy', write('no.json', '{"none": "1", "coupon": -1}')],
      '"coupon" is -1 but must be',
    ],
    ['another sum', ['--log', log, '--policy', write('sum.json', '{"none": 0.5, "coupon": 0.6}')], 'sum up to 1.1'],
    ['a list', ['--log', log, '--policy', write('list.json', '[1]')], 'must be an object'],
    ['a torn file', ['--log', log, '--policy', write('torn.json', '{')], 'torn.json is no JSON'],
  ])('rejects %s', async (_what, args, message) => {
    const error = await fail(...args);
    expect(toExitCode(error)).toBe(2);
    expect(String(error)).toContain(message);
  });

  it('says that propensities cannot be those of the draws', async () => {
    const wrong = write(
      'wrong.csv',
      [HEADER, ...DRAWS.map(([option, , reward]) => `${option},0.5,${reward},1`)].join('\n'),
    );
    expect(await run('--log', wrong, '--policy', 'coupon')).toContain('ALARM: weights are 0.5');
  });
});
