import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { ApiClient } from '@perennial/client';
import { capturePrinted } from '../printed-test-kit.js';
import { createSegmentsCommand } from './segments.js';

const printed = capturePrinted();
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'segments-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const SINCE = '2026-03-01T12:00:00.000Z';
const RULES = { kind: 'segment', owner: '', minStayMs: 0, maxStayMs: null, leave: null };
const ANSWER = {
  version: 1,
  segments: [
    {
      name: 'buyers',
      members: 3,
      definition: { ...RULES, description: 'Has ordered', when: 'features.orders_count_all >= 1', sequence: null },
    },
    {
      name: 'basket',
      members: 0,
      definition: {
        ...RULES,
        description: '',
        when: null,
        maxStayMs: 259_200_000,
        sequence: {
          did: { type: 'track', name: 'Product Added' },
          butNot: { type: 'page', name: null },
          withinMs: 3_600_000,
        },
      },
    },
    ...[
      ['rfm_important_value', 1, 'recent, frequent, valuable'] as const,
      ['rfm_general_win_back', 3, 'not recent, not frequent, less valuable'] as const,
    ].map(([name, members, description]) => ({
      name,
      members,
      definition: { ...RULES, kind: 'class', description, when: `class of the grid rfm`, sequence: null },
    })),
    ...['joined_2026_02', 'joined_2026_03'].map((name, at) => ({
      name,
      members: at,
      definition: { ...RULES, kind: 'cohort', description: `Began in ${at}`, when: 'x', sequence: null },
    })),
    { name: 'former', members: 1, definition: null },
  ],
  population: 4,
  thresholds: { rfm: { recency: [3.0625, 30], frequency: [1, 2], money: [10, 99.5] } },
  changesNotYetCounted: 2,
};
const MEMBERS = ['=1+1', null, 'ada, "x"'].map((userId, at) => {
  return { profileKey: `key-${at}`, userId, since: SINCE, tags: at === 0 ? ['vip', 'top'] : [] };
});

/** A service whose pages have two members. */
const client = {
  async call(id: string, { query = {} }: { query?: { cursor?: string; limit?: number } } = {}) {
    if (id === 'listSegments') return ANSWER;
    const from = Number(query.cursor ?? 0);
    const members = MEMBERS.slice(from, from + Math.min(2, query.limit ?? 2));
    const end = from + members.length;
    return { segment: 'buyers', members, next: end < MEMBERS.length ? String(end) : null };
  },
} as unknown as ApiClient;

const run = (...args: string[]) => createSegmentsCommand(() => ({ client })).parseAsync(args, { from: 'user' });

describe('segments', () => {
  it('lists names, members and what they are, and what is not counted yet', async () => {
    await run('list');
    expect(printed.text).toBe(
      [
        'buyers                3  Has ordered',
        'basket                0  ',
        'rfm_important_value   1  recent, frequent, valuable',
        'rfm_general_win_back  3  not recent, not frequent, less valuable',
        'joined_2026_02        0  Began in 0',
        'joined_2026_03        1  Began in 1',
        'former                1  no longer in force',
        '2 changes are not counted yet\n',
      ].join('\n'),
    );
  });

  it('shows a rule in words', async () => {
    await run('show', 'basket');
    expect(printed.text).toBe(
      [
        'segment        basket',
        'members        0',
        'kind           segment',
        'did            track "Product Added"',
        'but not        any page within 1 h',
        'stays at most  3 d',
        '',
      ].join('\n'),
    );
  });

  it('shows the cohorts of a set', async () => {
    await run('show', 'joined');
    expect(printed.text).toBe('joined_2026_02  0  0.0 %    Began in 0\njoined_2026_03  1  100.0 %  Began in 1\n');
  });

  it('shows a grid with the size of its classes and the thresholds in force', async () => {
    await run('show', 'rfm');
    expect(printed.text).toBe(
      [
        'rfm_important_value   1  25.0 %  recent, frequent, valuable',
        'rfm_general_win_back  3  75.0 %  not recent, not frequent, less valuable',
        'thresholds of population 4',
        'recency    3.06, 30',
        'frequency  1, 2',
        'money      10, 99.5',
        '',
      ].join('\n'),
    );
  });

  it('prints a size alone, for scripts', async () => {
    await run('size', 'buyers');
    expect(printed.text).toBe('3\n');
  });

  it('says which segments there are when it knows none of that name', async () => {
    await expect(run('size', 'byers')).rejects.toMatchObject({
      code: 'not_found',
      message:
        'there is no segment byers; in force: buyers, basket, rfm_important_value, rfm_general_win_back, joined_2026_02, joined_2026_03, former',
    });
  });

  it('lists no more members than asked for', async () => {
    await run('members', 'buyers', '--limit', '1', '--json');
    expect(JSON.parse(printed.text)).toEqual({ segment: 'buyers', members: [MEMBERS[0]] });
  });

  it('exports all pages as CSV without formulas, or as JSON lines', async () => {
    const file = join(folder, 'buyers.csv');
    await run('export', 'buyers', '--out', file);
    expect(readFileSync(file, 'utf8')).toBe(
      `user_id,profile_key,since,tags\n'=1+1,key-0,${SINCE},vip top\n,key-1,${SINCE},\n"ada, ""x""",key-2,${SINCE},\n`,
    );
    const json = join(folder, 'buyers.jsonl');
    await run('export', 'buyers', '--out', json, '--json');
    const rows = readFileSync(json, 'utf8').trimEnd().split('\n');
    expect(rows.map((row) => JSON.parse(row) as unknown)).toEqual(MEMBERS);
  });

  it('does not overwrite a file', async () => {
    const file = join(folder, 'kept.csv');
    writeFileSync(file, 'kept');
    await expect(run('export', 'buyers', '--out', file)).rejects.toMatchObject({ code: 'config_invalid' });
    expect(readFileSync(file, 'utf8')).toBe('kept');
  });

  it('checks a file, and lists all its problems', async () => {
    const file = join(folder, 'segments.yaml');
    writeFileSync(file, 'version: 1\nsegments: { buyers: { when: features.orders_count_all >= 1 } }\n');
    await run('check', file, '--json');
    expect(JSON.parse(printed.text)).toEqual({ name: 'segments', segments: ['buyers'] });
    const spec = join(folder, 'features.yaml');
    const features = 'features: { all: { unit: events, aggregation: count } }\n';
    writeFileSync(spec, `version: 1\ntraits: { plan: text }\n${features}`);
    writeFileSync(file, 'version: 1\nsegments: { pro: { when: traits.plam == "pro" } }\n');
    await expect(run('check', file, '--features', spec)).rejects.toThrow('did you mean "traits.plan"?');
    writeFileSync(file, 'version: 1\nsegments: { pro: { when: traits.plan == "pro" } }\n');
    await run('check', file, '--features', spec);
    writeFileSync(file, 'version: 2\nsegments: { buyers: { wen: 1 } }\n');
    await expect(run('check', file)).rejects.toThrow(
      /segments\.yaml:1:10: .*\n.*segments\.yaml:2:23: unknown key "wen"/,
    );
  });
});
