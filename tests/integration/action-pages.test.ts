import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { LogRecord } from '@perennial/kafka';
import { createPool, inTransaction, migrate, type Pool } from '@perennial/postgres';
import { createExposures, createLedger, EXPOSURE_MIGRATIONS, LEDGER_MIGRATIONS } from '@perennial/service-action';
import { readTestEnvironment } from '../support/environment.js';
import { createRunName } from '../support/run-name.js';

/* Ledger and exposures in a real PostgreSQL: pages hold each action once, also with equal times and new ones in between. */

const DAY_MS = 86_400_000;

describe('pages of actions', () => {
  const schema = `pages${createRunName()}_action`;
  let pool: Pool;

  beforeAll(async () => {
    const { postgresUrl } = readTestEnvironment();
    pool = createPool({ url: postgresUrl, applicationName: 'test', connectionsMax: 2 });
    await migrate(pool, { schema, migrations: [...LEDGER_MIGRATIONS, ...EXPOSURE_MIGRATIONS] });
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

  it('show what came of each, whatever its order, once, and also where it came before the action', async () => {
    const ledger = createLedger(pool, schema);
    const insert = (...changes: readonly LogRecord[]) =>
      inTransaction(pool, (client) => ledger.insertOutcomes(client, changes));
    await insert(toChange('late', 'opened', 2), toChange('late', 'opened', 2), toChange('unknown', 'clicked', 1));
    await inTransaction(pool, (client) =>
      ledger.insert(client, [toRecord('late', { dayNumber: 1, profileKey: 'eve' })]),
    );
    await insert(toChange('late', 'delivered', 1), toChange('late', 'opened', 2));
    const [action] = await ledger.listByProfile('eve', { after: undefined, limit: 5 });
    expect(action?.state).toBe('opened');
    expect([await ledger.find('late'), await ledger.find('unknown')]).toEqual([action, undefined]);
    expect(action?.outcomes.map(({ outcome, at }) => [outcome, at])).toEqual([
      ['delivered', '2026-01-02T00:00:00.000Z'],
      ['opened', '2026-01-03T00:00:00.000Z'],
    ]);
  });

  it('do not believe what somebody else reports of an action', async () => {
    const ledger = createLedger(pool, schema);
    const read = async () => {
      const action = await ledger.find('own');
      return [action?.state, ...(action?.outcomes ?? []).map(({ outcome }) => outcome)];
    };
    const insert = (...changes: readonly LogRecord[]) =>
      inTransaction(pool, (client) => ledger.insertOutcomes(client, changes));
    await inTransaction(pool, (client) =>
      ledger.insert(client, [toRecord('own', { dayNumber: 1, profileKey: 'eve' })]),
    );
    await insert(toChange('own', 'converted', 2, { profileKey: 'mallory', known: false }));
    expect(await read()).toEqual(['decided']);
    // Its own, the profile having had more actions since; and of a profile that it has joined.
    await insert(toChange('own', 'delivered', 3, { known: false }));
    await insert(toChange('own', 'opened', 4, { profileKey: 'user', known: true }));
    expect(await read()).toEqual(['opened', 'delivered', 'opened']);
  });
});

describe('exposures', () => {
  const schema = `exposures${createRunName()}_action`;
  let pool: Pool;

  beforeAll(async () => {
    const { postgresUrl } = readTestEnvironment();
    pool = createPool({ url: postgresUrl, applicationName: 'test', connectionsMax: 2 });
    await migrate(pool, { schema, migrations: EXPOSURE_MIGRATIONS });
  });
  afterAll(() => pool.end());

  it('are the first of each profile and experiment, page by page', async () => {
    const exposures = createExposures(pool, schema);
    const insert = (records: readonly LogRecord[]) =>
      inTransaction(pool, (client) => exposures.insert(client, records));
    const keys = Array.from({ length: 9 }, (_, index) => `p${index}`);
    await insert([
      ...keys.map((key, index) => toAssigned(key, { arm: index % 3 === 0 ? 'holdout' : 'usual', dayNumber: 1 })),
      toAssigned('p0', { arm: 'usual', dayNumber: 2 }),
    ]);
    await insert([toAssigned('p1', { arm: 'holdout', dayNumber: 3 }), toAssigned('p1', { experiment: 'other' })]);
    const totals = await exposures.totals();
    expect(totals.map(({ experiment, arm, profiles }) => [experiment, arm, profiles])).toEqual([
      ['other', 'usual', 1],
      ['size', 'holdout', 3],
      ['size', 'usual', 6],
    ]);
    const first = await exposures.list('size', { after: undefined, limit: 4 });
    const rest = await exposures.list('size', { after: first.at(-1), limit: 100 });
    expect([...first, ...rest].map(({ profileKey }) => profileKey)).toEqual(keys);
    expect(first[0]).toMatchObject({ arm: 'holdout', propensity: 0.5 });
  });
});

function toAssigned(
  profileKey: string,
  { experiment = 'size', arm = 'usual', dayNumber = 1 }: { experiment?: string; arm?: string; dayNumber?: number },
): LogRecord {
  const at = new Date(Date.UTC(2026, 0, 1) + dayNumber * DAY_MS).toISOString();
  const cause = { kind: 'event', id: profileKey };
  const data = { profileKey, experiment, layer: 'default', arm, propensity: 0.5, cause, policyVersion: 1, at };
  const value = Buffer.from(JSON.stringify(data));
  return { topic: 't', partition: 0, offset: 0, key: Buffer.from(profileKey), value, headers: {}, timestampMs: 0 };
}

function toChange(
  actionId: string,
  outcome: string,
  dayNumber: number,
  { profileKey = 'eve', known = true }: { profileKey?: string; known?: boolean } = {},
): LogRecord {
  const at = new Date(Date.UTC(2026, 0, 1) + dayNumber * DAY_MS).toISOString();
  const messageId = `${actionId}-${outcome}`;
  const data = {
    actionId,
    profileKey,
    outcome,
    state: outcome,
    at,
    messageId,
    channel: '',
    value: null,
    known,
  };
  const value = Buffer.from(JSON.stringify(data));
  return { topic: 't', partition: 0, offset: 0, key: Buffer.from(profileKey), value, headers: {}, timestampMs: 0 };
}

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
