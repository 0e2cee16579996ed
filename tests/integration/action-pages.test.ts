import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { LogRecord } from '@perennial/kafka';
import { createPool, inTransaction, migrate, type Pool } from '@perennial/postgres';
import { createLedger, LEDGER_MIGRATIONS } from '@perennial/service-action';
import { readTestEnvironment } from '../support/environment.js';
import { createRunName } from '../support/run-name.js';

/* The ledger in a real PostgreSQL: pages hold each action once, also with equal times and new actions in between. */

const DAY_MS = 86_400_000;

describe('pages of actions', () => {
  const schema = `pages${createRunName()}_action`;
  let pool: Pool;

  beforeAll(async () => {
    const { postgresUrl } = readTestEnvironment();
    pool = createPool({ url: postgresUrl, applicationName: 'test', connectionsMax: 2 });
    await migrate(pool, { schema, migrations: LEDGER_MIGRATIONS });
  });
  afterAll(() => pool.end());

  it('hold each action once, whatever is added meanwhile', async () => {
    const ledger = createLedger(pool, schema);
    const insert = (records: readonly LogRecord[]) => inTransaction(pool, (client) => ledger.insert(client, records));
    // Three actions at each time, and actions of another profile.
    const first = Array.from({ length: 24 }, (_, i) => toRecord(`a${i}`, { dayNumber: Math.floor(i / 3) }));
    await insert([...first, toRecord('other', { dayNumber: 3, profileKey: 'ben' })]);
    const seen: string[] = [];
    for (let page = 0, after: { decidedAt: string; actionId: string } | undefined; ; page++) {
      const items = await ledger.listByProfile('ada', { after, limit: 5 });
      if (items.length === 0) break;
      seen.push(...items.map(({ actionId }) => actionId));
      after = items.at(-1);
      // Newer than all others, and one at a time that earlier pages have passed.
      await insert([
        toRecord(`new${page}`, { dayNumber: 100 + page }),
        toRecord(`between${page}`, { dayNumber: 7 - page }),
      ]);
    }
    const of = (prefix: string) => seen.filter((id) => id.startsWith(prefix));
    expect(of('a').sort()).toEqual(first.map((_, i) => `a${i}`).sort());
    expect(new Set(seen).size).toBe(seen.length);
    expect([...of('new'), ...of('other')]).toEqual([]);
  });
});

function toRecord(
  actionId: string,
  { dayNumber, profileKey = 'ada' }: { dayNumber: number; profileKey?: string },
): LogRecord {
  const decidedAt = new Date(Date.UTC(2026, 0, 1) + dayNumber * DAY_MS).toISOString();
  const action = {
    actionId,
    profileKey,
    strategy: 'welcome',
    channel: 'email',
    template: 't',
    parameters: {},
    stage: 'new',
    cause: { kind: 'event', id: actionId },
    reasons: [],
    policyVersion: 1,
    modelHash: '',
    scores: {},
    decidedAt,
    expiresAt: decidedAt,
    cost: 0,
  };
  const value = Buffer.from(JSON.stringify(action));
  return { topic: 't', partition: 0, offset: 0, key: Buffer.from(profileKey), value, headers: {}, timestampMs: 0 };
}
