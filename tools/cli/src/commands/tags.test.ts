import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { AppError } from '@perennial/kernel';
import type { Platform } from '@perennial/launcher';
import { capturePrinted } from '../printed-test-kit.js';
import { createTagsCommand } from './tags.js';

const printed = capturePrinted();
const folder = mkdtempSync(join(tmpdir(), 'tags-'));
const AT = '2026-05-01T12:00:00.000Z';

const toSegment = (name: string, kind: string, owner = '') => ({
  name,
  members: 3,
  definition: { kind, owner, description: '' },
});
const SEGMENTS = {
  segments: [
    toSegment('all', 'segment'),
    toSegment('vip', 'manual', 'sales'),
    toSegment('wholesale', 'imported', 'crm'),
    { name: 'gone', members: 1, definition: null },
  ],
};

/** Runs the command as a user does; answers by operation. */
async function run(args: readonly string[], answers: Readonly<Record<string, unknown>> = {}) {
  const asked: Array<readonly [string, unknown]> = [];
  const call = async (id: string, request: unknown) => {
    asked.push([id, request]);
    const answer = id === 'listSegments' ? SEGMENTS : answers[id];
    if (answer instanceof Error) throw answer;
    return answer;
  };
  const command = createTagsCommand(() => ({ client: { call } as unknown as Platform['client'] }));
  await command.parseAsync([...args], { from: 'user' });
  return asked.filter(([id]) => id !== 'listSegments');
}

function write(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

describe('tags', () => {
  it('list those in force, and those of a user', async () => {
    await run(['list']);
    expect(printed.text).toMatch(/vip +manual +sales +3\nwholesale +imported +crm +3/);
    expect(printed.text).not.toContain('all');
  });

  it('list those of a user with who gave them', async () => {
    const tags = [{ name: 'vip', kind: 'manual', owner: 'olga\u001b[2J', since: AT }];
    expect(await run(['list', 'anna'], { getTags: { tags } })).toEqual([['getTags', { path: { userId: 'anna' } }]]);
    expect(printed.text).toContain(`vip  manual  olga\\u001b[2J  since ${AT}`);
  });

  it('are given and taken, with who did it', async () => {
    const result = { userId: 'anna', tag: 'vip', changed: true, applied: true };
    expect(await run(['add', 'anna', 'vip', '--owner', 'olga'], { addTag: result })).toEqual([
      ['addTag', { path: { userId: 'anna' }, body: { tag: 'vip', owner: 'olga' } }],
    ]);
    expect(await run(['remove', 'anna', 'vip', '--owner', 'olga', '--json'], { removeTag: result })).toEqual([
      ['removeTag', { path: { userId: 'anna', tag: 'vip' }, query: { owner: 'olga' } }],
    ]);
    expect(printed.text).toContain('anna has the tag vip\n');
    expect(printed.text).toContain('"changed": true');
    await run(['remove', 'anna', 'vip'], { removeTag: { ...result, applied: false } });
    expect(printed.text).toContain('anna no longer has the tag vip soon: it is written, and not taken yet\n');
  });

  it('show their history', async () => {
    const history = [{ tag: 'vip', change: 'taken', kind: 'manual', owner: '', at: AT }];
    await run(['history', 'anna'], { getTags: { history } });
    expect(printed.text).toBe(`${AT}  vip  taken  manual  by -\n`);
  });
});

describe('tags import', () => {
  it('sends the rows of a file in their order, a thousand at a time', async () => {
    const rows = Array.from({ length: 1_200 }, (_, n) => `u${n};wholesale;${n === 3 ? 'remove' : ''};`);
    const file = write('list.csv', `\uFEFFuser_id;tag;action;owner\r\n${rows.join('\r\n')}\r\n`);
    const asked = await run(['import', file, '--owner', 'crm'], { importTags: { changed: 1, unchanged: 2 } });
    const bodies = asked.map(([, request]) => (request as { body: { changes: unknown[] } }).body.changes);
    expect(bodies.map(({ length }) => length)).toEqual([1_000, 200]);
    expect(bodies[0]?.slice(2, 4)).toEqual([
      { userId: 'u2', tag: 'wholesale', given: true, owner: 'crm' },
      { userId: 'u3', tag: 'wholesale', given: false, owner: 'crm' },
    ]);
    expect(printed.text).toBe('1200 rows: 2 changed, 4 were so already\n');
  });

  it('takes a file of ids alone', async () => {
    const file = write('ids.csv', 'id\nanna\n"b,ert"\n');
    const asked = await run(['import', file, '--tag', 'wholesale', '--owner', 'crm'], {
      importTags: { changed: 2, unchanged: 0 },
    });
    expect(asked[0]?.[1]).toMatchObject({ body: { changes: [{ userId: 'anna' }, { userId: 'b,ert' }] } });
  });

  it('names every bad row with its column, and sends nothing', async () => {
    const file = write(
      'bad.csv',
      `user_id,tag,action\n,wholesale,add\nanna,wholesail,add\nbert,vip,ad\n${'x'.repeat(257)},wholesale,add\nc,wholesale\n"d"x,wholesale,add\n`,
    );
    await expect(run(['import', file, '--owner', 'crm'], { importTags: new Error('sent') })).rejects.toThrow(
      [
        `${file}:2: column user_id: it is empty`,
        `${file}:3: column tag: "wholesail" is not declared with kind imported in the segments in force, did you mean "wholesale"?`,
        `${file}:4: column tag: "vip" is not declared with kind imported in the segments in force`,
        `${file}:4: column action: "ad" is neither add nor remove`,
        `${file}:5: column user_id: it has 257 characters, 256 at most`,
      ].join('\n'),
    );
    await expect(run(['import', write('empty.csv', ''), '--owner', 'crm'])).rejects.toThrow('the file is empty');
    await expect(run(['import', write('head.csv', 'usr_id,tga\n'), '--owner', 'crm'])).rejects.toThrow(
      /unknown column "usr_id", did you mean "user_id"\?\n.*unknown column "tga", did you mean "tag"\?\n.*user_id is missing/,
    );
    await expect(run(['import', join(folder, 'none.csv'), '--owner', 'crm'])).rejects.toThrow('cannot read');
  });

  it('says where it stopped, and that it can be repeated', async () => {
    const file = write('stop.csv', 'user_id,tag\nanna,wholesale\n');
    const away = new AppError('dependency_unavailable', 'feature-store is away', { retriable: true });
    await expect(run(['import', file, '--owner', 'crm'], { importTags: away })).rejects.toMatchObject({
      code: 'dependency_unavailable',
      message: `${file}: the rows before line 2 are in; repeat the import for the others: feature-store is away`,
    });
  });
});
