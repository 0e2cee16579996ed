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
 * account reports to its members.
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

describe('an account', () => {
  const { brokers } = readTestEnvironment();
  const namespace = `p${createRunName()}`;
  const ingest = createServiceRunner('ingest');
  const features = createServiceRunner('feature-store');
  const folder = mkdtempSync(join(tmpdir(), 'accounts-'));
  afterAll(() => {
    for (const service of [ingest, features]) service.killAll();
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
      features.killAll();
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
  }, 180_000);
});
