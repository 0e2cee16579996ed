import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { TOPICS, type TopicName, toTopic } from '@perennial/contracts';
import { createTopics } from '@perennial/kafka';
import { createSilentLogger } from '@perennial/telemetry';
import { AUTHORIZATION } from '../support/access.js';
import { readTestEnvironment } from '../support/environment.js';
import { eventually } from '../support/eventually.js';
import { createRunName } from '../support/run-name.js';
import { createServiceRunner } from '../support/service-process.js';

/*
 * Accounts on real Kafka, Redis and PostgreSQL: copies of events go to the key of the account once, over a kill too, and the
 * account reports to its members. And tags that are given by HTTP, over a kill too.
 */

const PARTITIONS = 4;
const WITHIN = { withinMs: 60_000 };
const SPEC = `
version: 1
traits: { plan: text }
account: { traits: { seats: number }, features: [events_count] }
features:
  events_count: { unit: events, aggregation: count, window: 7d }
`;

const SEGMENTS = `
version: 1
segments: { known: { when: tags.vip == true } }
tags: { vip: { kind: manual, owner: sales }, wholesale: { kind: imported, owner: crm } }
`;

describe('an account', () => {
  const { brokers } = readTestEnvironment();
  const namespace = `p${createRunName()}`;
  const ingest = createServiceRunner('ingest');
  const features = createServiceRunner('feature-store');
  const scoring = createServiceRunner('scoring');
  const folder = mkdtempSync(join(tmpdir(), 'accounts-'));
  afterAll(async () => {
    await Promise.all([ingest, features, scoring].map((service) => service.killAll()));
    rmSync(folder, { recursive: true });
  });

  it('counts what its members did, once over a kill, and reports to them', async () => {
    const specs = (Object.keys(TOPICS) as TopicName[]).map((name) => ({
      name: toTopic(namespace, name),
      partitions: PARTITIONS,
      retentionMs: 3_600_000,
      cleanup: 'delete' as const,
    }));
    await createTopics({ brokers, clientId: 'test', logger: createSilentLogger() }, specs);
    await ingest.command(namespace, ['migrate']);
    const created = JSON.parse(await ingest.command(namespace, ['sources', 'create', '--name', 'web', '--json']));
    const headers = { authorization: `Bearer ${created.writeKey}` };
    const file = join(folder, 'features.yaml');
    writeFileSync(file, SPEC);
    const { kind, number, hash } = JSON.parse(await features.command(namespace, ['register', 'features', file]));
    await ingest.command(namespace, ['rollout', '--kind', kind, '--number', String(number), '--hash', hash]);
    const { url } = await ingest.start(namespace);
    let store = await features.start(namespace);

    const post = async (path: string, body: object) => {
      const answer = await fetch(`${url}/v1/${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
      expect(answer.status).toBe(200);
    };
    const get = async (path: string) =>
      (await (await fetch(`${store.url}/v1/${path}`, { headers: AUTHORIZATION })).json()) as {
        features?: Record<string, number>;
        members?: { count: number };
        reported?: { values: Record<string, number | null> } | null;
      };
    const users = ['ada', 'bo', 'cy', 'di'];
    for (const userId of users) await post('group', { userId, groupId: 'acme', traits: { seats: 12, name: 'Acme' } });
    for (let index = 0; index < 40; index++) {
      await post('track', { userId: users[index % users.length], event: 'Clicked', messageId: `m${index}` });
      if (index !== 20) continue;
      await features.killAll();
      store = await features.start(namespace);
    }
    await eventually(async () => (await get('accounts/acme')).features?.events_count === 44, {
      ...WITHIN,
      what: '44 events in the account',
    });
    const account = await get('accounts/acme');
    expect(account).toMatchObject({ members: { count: 4, cutOff: 0 }, traits: [{ name: 'seats', value: 12 }] });
    for (const userId of users) {
      await eventually(async () => (await get(`profiles/${userId}`)).reported?.values['account.traits.seats'] === 12, {
        ...WITHIN,
        what: `the report to ${userId}`,
      });
    }

    // Tags, of a file that comes into force now.
    const segments = join(folder, 'segments.yaml');
    writeFileSync(segments, SEGMENTS);
    const artifact = JSON.parse(await scoring.command(namespace, ['register', 'segments', segments]));
    const rollout = ['--kind', 'segments', '--number', String(artifact.number), '--hash', artifact.hash];
    await ingest.command(namespace, ['rollout', ...rollout]);
    const send = async (method: string, path: string, body?: object) => {
      const content = { 'content-type': 'application/json', ...AUTHORIZATION };
      const sent = body === undefined ? { headers: AUTHORIZATION } : { headers: content, body: JSON.stringify(body) };
      const answer = await fetch(`${store.url}/v1/${path}`, { method, ...sent });
      const found = (await answer.json()) as Readonly<Record<string, unknown>> & { tags?: Array<{ name: string }> };
      return { ...found, status: answer.status };
    };
    await eventually(
      async () => (await send('POST', 'profiles/ada/tags', { tag: 'vip', owner: 'olga' })).status === 200,
      {
        ...WITHIN,
        what: 'the tags of the file in force',
      },
    );
    const changes = users.map((userId) => ({ userId, tag: 'wholesale' }));
    expect(await send('POST', 'tag-changes', { changes })).toMatchObject({ changed: 4, unchanged: 0 });
    await features.killAll();
    store = await features.start(namespace);
    const tagsOf = async (userId: string) =>
      (await send('GET', `profiles/${userId}/tags`)).tags?.map(({ name }) => name);
    await eventually(async () => (await tagsOf('di'))?.join() === 'wholesale', { ...WITHIN, what: 'the tag of di' });
    expect(await tagsOf('ada')).toEqual(['vip', 'wholesale']);
    expect(await send('POST', 'tag-changes', { changes })).toMatchObject({ changed: 0, unchanged: 4 });
    expect(await send('DELETE', 'profiles/ada/tags/vip')).toMatchObject({ status: 200, changed: true, applied: true });
    expect(await tagsOf('ada')).toEqual(['wholesale']);
  }, 180_000);
});
