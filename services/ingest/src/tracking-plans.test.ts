import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { AppError, must } from '@perennial/kernel';
import type { ListedPlan, PlanRepository } from './adapters/plan-repository.js';
import { runPlanCommand } from './plan-command.js';
import { type PlanDirectory, startPlanDirectory } from './plan-directory.js';
import { createIngestHarness, FakeClock, FakePlanStore, type IngestHarness, WRITE_KEY } from './testing/fakes.js';

const PLAN = `
version: 1
personal: [email]
track:
  Order Completed:
    onViolation: reject
    schema: {required: [order_id], properties: {order_id: {type: string}, revenue: {type: string}}}
  Seen: {schema: {properties: {page: {type: integer}}}}
identify: {schema: {properties: {shoe: {type: number}}}}
group: {schema: {additionalProperties: false, properties: {seats: {type: integer}}}}
`;

const settle = () => new Promise((resolve) => setImmediate(resolve));

async function open(store: FakePlanStore, clock = new FakeClock()): Promise<PlanDirectory & { errors: unknown[] }> {
  const errors: unknown[] = [];
  const directory = await startPlanDirectory(store, { clock, onError: (error) => errors.push(error) });
  return { ...directory, errors };
}

describe('events of a source with a tracking plan', () => {
  let ingest: IngestHarness;
  beforeEach(async () => {
    const store = new FakePlanStore();
    store.set('src_1', 'version: 1');
    store.set('src_1', PLAN);
    const { find, stop } = await open(store);
    await stop();
    ingest = createIngestHarness({ plans: find });
  });

  async function post(url: string, body: unknown) {
    const headers = { authorization: `Bearer ${WRITE_KEY}` };
    return ingest.server.inject({ method: 'POST', url, headers, payload: JSON.stringify(body) });
  }

  it('are rejected with the field that is wrong, where the plan says so', async () => {
    const bad = await post('/v1/track', { userId: 'u', event: 'Order Completed', properties: { order_id: 7 } });
    expect(bad.statusCode).toBe(400);
    expect(bad.json()).toEqual({
      success: false,
      error: 'plan_violation',
      message: 'not as the tracking plan has it: /order_id must be string',
    });
    expect(ingest.producer.rejected()).toMatchObject([
      { reason: 'plan_violation', step: 'plan', field: 'properties.order_id' },
    ]);
    expect(await ingest.readMetrics()).toMatch(
      /ingest_plan_violations_total\{transport="http",source="src_1",reason="wrong_type",result="rejected".*\} 1/,
    );
  });

  it('are accepted with what the plan does not allow, where it does not say so', async () => {
    await post('/v1/batch', {
      batch: [
        { type: 'track', userId: 'u', event: 'Seen', properties: { page: 'one' } },
        { type: 'track', userId: 'u', event: 'Odd' },
        { type: 'track', userId: 'u', event: 'Seen' },
        { type: 'group', userId: 'u', groupId: 'g', traits: { seats: 2 } },
      ],
    });
    expect(ingest.producer.accepted().map(({ plan }) => plan)).toEqual([
      { number: 2, violations: ['wrong_type /page'], outliers: [] },
      { number: 2, violations: ['unplanned_event'], outliers: [] },
      { number: 2, violations: [], outliers: [] },
      { number: 2, violations: [], outliers: [] },
    ]);
    expect(ingest.producer.accepted().at(-1)?.properties).toEqual({ seats: 2, groupId: 'g' });
    expect(await ingest.readMetrics()).toMatch(/reason="unplanned_event",result="accepted".*\} 1/);
  });

  it('have amounts judged as they were sent, and no personal field afterwards', async () => {
    const properties = { order_id: '1', revenue: '12.50', email: 'ann@example.com' };
    await post('/v1/track', { userId: 'u', event: 'Order Completed', properties });
    expect(ingest.producer.accepted()).toMatchObject([{ amount: 12.5, plan: { violations: [] } }]);
    expect(ingest.producer.accepted()[0]?.properties).toEqual({ order_id: '1', revenue: 12.5 });
    expect(await ingest.readMetrics()).toMatch(
      /ingest_personal_fields_withheld_total\{transport="http",source="src_1".*\} 1/,
    );
  });
});

describe('the plans in force', () => {
  it('follow the store within ten seconds; what cannot be read leaves the one before in force', async () => {
    const store = new FakePlanStore();
    const clock = new FakeClock();
    const directory = await open(store, clock);
    const step = async () => {
      clock.move(10_000);
      await settle();
    };
    expect(directory.find('src_1')).toBeUndefined();
    store.set('src_1', 'version: 1');
    await step();
    expect(directory.find('src_1')?.number).toBe(1);
    store.set('src_1', 'version: 7');
    store.set('src_2', 'version: 1');
    await step();
    expect([directory.find('src_1')?.number, directory.find('src_2')?.number, directory.errors.length]).toEqual([
      1, 1, 1,
    ]);
    store.set('src_1', null);
    await step();
    expect(directory.find('src_1')).toBeUndefined();
    clock.move(10_000);
    await directory.stop();
  });

  it('fail the start where one cannot be read: what it withholds would get through', async () => {
    const store = new FakePlanStore();
    store.set('src_1', 'version: 7');
    await expect(open(store)).rejects.toMatchObject({ code: 'config_invalid' });
  });
});

describe('sources plan', () => {
  const folder = mkdtempSync(join(tmpdir(), 'plan-'));
  let versions: Array<ListedPlan & { content: string | null }>;
  beforeEach(() => {
    versions = [];
  });

  const plans: PlanRepository = {
    listCurrent: async () => versions,
    load: async (_id, number) => versions.find((version) => version.number === number)?.content ?? undefined,
    history: async () => versions,
    async add(sourceId, { content, fileName }) {
      if (versions[0]?.content === content) return must(versions[0], 'the newest');
      const number = versions.length + 1;
      versions.unshift({
        sourceId,
        number,
        hash: content && 'ab'.repeat(32),
        content,
        fileName,
        setAt: '2026-01-01T00:00:00.000Z',
      });
      return must(versions[0], 'the newest');
    },
  };
  const sources = {
    async find(name: string) {
      if (name !== 'web') throw new AppError('not_found', `there is no source ${JSON.stringify(name)}`);
      return { id: 'src_1', name, eventsPerSecondMax: null, currency: null, reports: false };
    },
  };

  async function run(...args: string[]): Promise<string[]> {
    const printed: string[] = [];
    await runPlanCommand(args, { sources, plans, print: (text) => printed.push(text) });
    return printed;
  }

  function file(content: string, name = 'plan.yaml'): string {
    const path = join(folder, name);
    writeFileSync(path, content);
    return path;
  }

  it('sets, shows, lists and clears', async () => {
    expect(await run('set', 'web', file('version: 1\n'))).toEqual(['plan 1 of web is in force within ten seconds']);
    expect(await run('set', 'web', file(PLAN))).toEqual(['plan 2 of web is in force within ten seconds']);
    expect(await run('set', 'web', file(PLAN))).toEqual(['plan 2 of web is in force within ten seconds']);
    expect(await run('show', 'web')).toEqual([PLAN.trimEnd()]);
    expect(await run('show', 'web', '--number', '1')).toEqual(['version: 1']);
    expect(await run('history', 'web')).toEqual([
      '2  2026-01-01T00:00:00.000Z  abababababab  "plan.yaml"',
      '1  2026-01-01T00:00:00.000Z  abababababab  "plan.yaml"',
    ]);
    expect(await run('clear', 'web')).toEqual(['web has no plan within ten seconds']);
    await expect(run('show', 'web')).rejects.toMatchObject({ code: 'not_found' });
    await expect(run('clear', 'web')).rejects.toMatchObject({ code: 'not_found' });
    expect(await run('set', 'kafka', file('version: 1\n'), '--json')).toEqual([
      expect.stringContaining('"sourceId":"kafka"'),
    ]);
  });

  it('changes nothing for a file with problems, and lists all of them', async () => {
    const bad = file('version: 1\nonViolation: refuse\ntrak: {}\n', 'bad.yaml');
    await expect(run('set', 'web', bad)).rejects.toThrow(
      'bad.yaml:2:14: "refuse" is not one of accept, reject\nbad.yaml:3:1: unknown key "trak", did you mean "track"?',
    );
    expect(versions).toEqual([]);
  });

  it.each([
    [['set', 'web']],
    [['show']],
    [['show', 'web', 'x']],
    [['drop', 'web']],
    [['show', 'web', '--number', '0']],
  ])('rejects %j', async (args) => {
    await expect(run(...args)).rejects.toMatchObject({ code: 'config_invalid' });
  });

  it('says which source is not there', async () => {
    await expect(run('history', 'shop')).rejects.toMatchObject({ code: 'not_found' });
  });
});
