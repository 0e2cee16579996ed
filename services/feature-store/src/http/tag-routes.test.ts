import { beforeEach, describe, expect, it } from '@jest/globals';
import { TEST_AUTHORIZATION } from '@perennial/access/testing';
import { AcceptedRecord, type TagChange } from '@perennial/contracts';
import { type Clock, must, systemClock, toSha256 } from '@perennial/kernel';
import { createPseudonymizer } from '@perennial/privacy';
import { createTestServer } from '@perennial/service-host/testing';
import { TAGS_MAX } from '@perennial/traits';
import { JoinWorld, NOON, toEvent } from '../identity/join-test-kit.js';
import { createDeclaredTags } from '../tags/declared-tags.js';
import { TagService } from '../tags/tag-service.js';
import { addTagRoutes } from './tag-routes.js';

const SEGMENTS = `version: 1
segments: { all: { when: "true" } }
tags:
  vip: { kind: manual, owner: sales }
  hot: { kind: score, when: scores.purchase > 1 }
  wholesale: { kind: imported, owner: crm }
`;
const HASH = toSha256(Buffer.from(SEGMENTS));
const pseudonymizer = createPseudonymizer('a secret of more than thirty-two characters');
const ANNA = pseudonymizer.toProfileKey({ userId: 'anna' });

/** The routes over the real processor: what is sent is taken at once, or once the test says so, or while something waits. */
function setUp({ hasSegments = true, lags = false, takesInWait = false, others = 0 } = {}) {
  const world = new JoinWorld();
  const inForce = new Map(hasSegments ? [['segments', { kind: 'segments', number: 1, hash: HASH }]] : []);
  const sent: string[] = [];
  const server = createTestServer();
  let waitedMs = 0;
  const clock: Clock = {
    ...systemClock,
    steadyMs: () => waitedMs,
    wait: async (ms) => {
      waitedMs += ms;
      if (takesInWait) settle();
    },
  };
  // All partitions as one: records written, and those that are in the states.
  let [written, applied] = [0, 0];
  const settle = () => {
    world.settle();
    applied = written;
  };
  const service = new TagService({
    ...{ namespace: 'live', clock },
    positions: { end: async () => written, applied: async () => applied },
    partitions: 4,
    pseudonymizer,
    loadDeclared: createDeclaredTags({ load: async () => Buffer.from(SEGMENTS) }),
    readStates: async (keys) =>
      keys.map((key) => {
        const bytes = world.states.get(key);
        return { state: bytes && world.definition.codec.decode(bytes), logTimeMs: NOON, inForce };
      }),
    producer: {
      async send(records) {
        for (const { key, value } of records) {
          const { record } = AcceptedRecord.decode(must(value, 'a value'));
          sent.push(String(record?.$case === 'tagChange' && record.value.tag));
          // What somebody else wrote at the same time comes first.
          for (let n = 0; n < others; n += 1) sendTag(world, `o${n}`);
          world.sendRecord(must(key, 'a key').toString(), record);
          written += 1 + others;
        }
        if (!lags) settle();
      },
    },
  });
  addTagRoutes(server, service);
  const request = async (method: 'GET' | 'POST' | 'DELETE', url: string, payload?: object) => {
    const response = await server.inject({ method, url, headers: TEST_AUTHORIZATION, ...(payload && { payload }) });
    return { status: response.statusCode, body: response.json() };
  };
  /** Writes a change of Anna's tags past this service. */
  const write = (tag: string, given: boolean) => {
    sendTag(world, tag, given);
    written += 1;
  };
  return { world, sent, request, write };
}

function sendTag(world: JoinWorld, tag: string, given = true): void {
  const self = { key: ANNA, strength: 240, subject: pseudonymizer.seal('anna') };
  const value: TagChange = { self, tag, given, kind: 'manual', owner: '', atMs: NOON };
  world.sendRecord(ANNA, { $case: 'tagChange', value });
}

/** Anna has as many tags as a profile can have. */
function fill(world: JoinWorld, count = TAGS_MAX): void {
  for (let n = 0; n < count; n += 1) sendTag(world, `t${n}`);
  world.settle();
}

let world: JoinWorld;
let sent: string[];
let request: ReturnType<typeof setUp>['request'];

beforeEach(() => {
  ({ world, sent, request } = setUp());
  const self = { key: ANNA, strength: 240, subject: pseudonymizer.seal('anna') };
  world.send(ANNA, toEvent(self, {}));
  world.settle();
});

describe('the routes of tags', () => {
  it('give a tag, show it with who gave it, and take it away', async () => {
    expect(await request('POST', '/v1/profiles/anna/tags', { tag: 'vip', owner: 'olga' })).toEqual({
      status: 200,
      body: { userId: 'anna', tag: 'vip', changed: true, applied: true },
    });
    const again = await request('POST', '/v1/profiles/anna/tags', { tag: 'vip', owner: 'olga' });
    expect(again.body).toMatchObject({ changed: false, applied: true });
    const { body } = await request('GET', '/v1/profiles/anna/tags');
    expect(body).toMatchObject({ profileKey: ANNA, tags: [{ name: 'vip', kind: 'manual', owner: 'olga' }] });
    expect((await request('DELETE', '/v1/profiles/anna/tags/vip?owner=bert')).body).toMatchObject({ changed: true });
    const after = await request('GET', '/v1/profiles/anna/tags');
    expect(after.body.tags).toEqual([]);
    expect(after.body.history).toMatchObject([
      { tag: 'vip', change: 'taken', owner: 'bert' },
      { tag: 'vip', change: 'given', owner: 'olga' },
    ]);
    expect(sent).toEqual(['vip', 'vip', 'vip']);
  });

  it('say what is wrong with a name, a kind and a body', async () => {
    const add = async (tag: unknown) => request('POST', '/v1/profiles/anna/tags', { tag });
    expect(await add('vipp')).toMatchObject({
      status: 400,
      body: { detail: '"vipp" is no tag of kind manual or imported in the segments in force, did you mean "vip"?' },
    });
    expect((await add('hot')).body.detail).toContain('"hot" is no tag of kind manual');
    expect((await add('wholesale')).body.detail).toBe(
      '"wholesale" is of kind imported: a list gives it, see tags import',
    );
    for (const tag of ['VIP', '', 7, null, 'x'.repeat(64)]) expect((await add(tag)).status).toBe(400);
    expect((await request('POST', '/v1/profiles/anna/tags', { tag: 'vip', owner: 'x'.repeat(101) })).status).toBe(400);
    expect((await request('DELETE', '/v1/profiles/anna/tags/nope')).status).toBe(400);
    expect(sent).toEqual([]);
  });

  it('take a list, all of it or nothing, and the same list again changes nothing', async () => {
    const changes = [
      { userId: 'anna', tag: 'wholesale', owner: 'crm' },
      { userId: 4711, tag: 'wholesale' },
      { userId: 'anna', tag: 'wholesale' },
      { userId: 'carl', tag: 'wholesale', given: false },
    ];
    expect((await request('POST', '/v1/tag-changes', { changes })).body).toEqual({ changed: 2, unchanged: 2 });
    const states = new Map(world.states);
    expect((await request('POST', '/v1/tag-changes', { changes })).body).toEqual({ changed: 0, unchanged: 4 });
    expect(world.states).toEqual(states);
    const wrong = [...changes, { userId: 'dora', tag: 'vip' }, { userId: 'dora', tag: 'wholesail' }];
    const { status, body } = await request('POST', '/v1/tag-changes', { changes: wrong });
    expect([status, body.detail]).toEqual([
      400,
      'changes/4/tag: "vip" is of kind manual: it is given one by one, see tags add; changes/5/tag: "wholesail" is no tag of kind manual or imported in the segments in force, did you mean "wholesale"?',
    ]);
    expect(sent).toHaveLength(8);
  });

  it('write what changes a change that the profile has not taken yet', async () => {
    const late = setUp({ lags: true });
    const change = (given: boolean) => ({ changes: [{ userId: 'anna', tag: 'wholesale', given }] });
    expect((await late.request('POST', '/v1/tag-changes', change(true))).body).toEqual({ changed: 1, unchanged: 0 });
    expect((await late.request('POST', '/v1/tag-changes', change(false))).body).toEqual({ changed: 0, unchanged: 1 });
    const added = await late.request('POST', '/v1/profiles/anna/tags', { tag: 'vip' });
    expect(added.body).toMatchObject({ changed: true, applied: false });
    expect((await late.request('DELETE', '/v1/profiles/anna/tags/vip')).body).toMatchObject({ changed: false });
    expect(late.sent).toEqual(['wholesale', 'wholesale', 'vip', 'vip']);
    late.world.settle();
    expect((await late.request('GET', '/v1/profiles/anna/tags')).body.tags).toEqual([]);
  });

  it('refuse what a profile has no room for, and not where a tag that was just taken makes room', async () => {
    fill(world);
    const rejected = await request('POST', '/v1/profiles/anna/tags', { tag: 'vip' });
    expect([rejected.status, rejected.body.detail]).toEqual([409, 'anna has 64 tags, and cannot have more']);
    const changes = [{ userId: 'anna', tag: 'wholesale' }];
    expect((await request('POST', '/v1/tag-changes', { changes })).status).toBe(409);
    expect(sent).toEqual([]);
    const late = setUp({ lags: true, takesInWait: true });
    fill(late.world);
    late.write('t0', false);
    expect((await late.request('POST', '/v1/profiles/anna/tags', { tag: 'vip' })).body).toMatchObject({
      applied: true,
    });
  });

  it('say nothing about room while the state is behind the log, however long', async () => {
    const late = setUp({ lags: true });
    fill(late.world);
    late.write('t0', false);
    const { status, body } = await late.request('POST', '/v1/profiles/anna/tags', { tag: 'vip' });
    expect([status, body.detail]).toEqual([
      503,
      'anna seems to have 64 tags, and its state is behind the log: nothing is written, ask again',
    ]);
    expect(late.sent).toEqual([]);
  });

  it('say that a change found no room where others came first', async () => {
    const late = setUp({ others: 1 });
    fill(late.world, TAGS_MAX - 1);
    const { status, body } = await late.request('POST', '/v1/profiles/anna/tags', { tag: 'vip' });
    expect([status, body.detail]).toEqual([409, 'anna has 64 tags: others came first, and this one has no room']);
    expect(late.sent).toEqual(['vip']);
  });

  it('know no tag before a file of segments is in force', async () => {
    const { request: ask } = setUp({ hasSegments: false });
    expect((await ask('POST', '/v1/profiles/anna/tags', { tag: 'vip' })).status).toBe(400);
  });
});
