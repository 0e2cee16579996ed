import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { DAY_MS } from '@perennial/feature-engine';
import { createSeededRandom, must } from '@perennial/kernel';
import { parquetReadObjects } from 'hyparquet';
import { ARTIFACTS, JoinWorld, type SentEvent, SPEC, toDevice, toUser } from './join-world-test-kit.js';
import { runExport } from './run-export.js';

// The seed is part of the test's name; PROPERTY_SEED=... repeats that run.
const SEED = Number(process.env.PROPERTY_SEED ?? Date.now() % 2 ** 31);
const CASES = 12;
const START_MS = Date.UTC(2026, 0, 10);
const CUTOFFS = [1, 2, 3, 4].map((n) => START_MS + n * 5 * DAY_MS);
const HORIZON_MS = 4 * DAY_MS;
const USERS = ['anna', 'bert', 'carl'].map(toUser);
const IDS = [...USERS, ...['phone', 'laptop', 'tablet'].map(toDevice)];
const LENGTH = 6;

const folder = mkdtempSync(join(tmpdir(), 'joined-export-'));
afterAll(() => rmSync(folder, { recursive: true }));

type Row = Record<string, unknown> & { profile_key: string; cutoff: Date };

/** Events of users and devices, of which some claim a device or name another user, before and after each cutoff. */
function drawEvents(random: () => number): SentEvent[] {
  const pick = <T>(list: readonly T[]): T => must(list[Math.floor(random() * list.length)], 'one');
  let atMs = START_MS;
  return Array.from({ length: 12 + Math.floor(random() * 30) }, (_, index) => {
    atMs += Math.floor(random() * DAY_MS);
    const self = pick(IDS);
    const other = pick(IDS.filter((id) => id !== self));
    const names = USERS.includes(self) && random() < 0.25;
    return {
      self,
      ...(names && { [USERS.includes(other) ? 'alias' : 'claims']: other }),
      messageId: `m${index}`,
      name: pick(['Order Completed', 'Order Completed', 'Order Refunded', 'Product Viewed']),
      receivedAtMs: atMs,
      timestampMs: random() < 0.3 ? atMs - Math.floor(random() * 40 * DAY_MS) : atMs,
      amount: Math.floor(random() * 1e6) / 100,
    };
  });
}

async function play(events: readonly SentEvent[]) {
  const world = new JoinWorld();
  const served = new Map<string, Awaited<ReturnType<JoinWorld['serve']>>>();
  let next = 0;
  const passCutoffs = async (untilMs: number) => {
    for (let cutoffMs = CUTOFFS[next]; cutoffMs !== undefined && cutoffMs <= untilMs; cutoffMs = CUTOFFS[++next]) {
      await world.settle();
      for (const { key } of IDS) served.set(`${key} ${cutoffMs}`, await world.serve(key, cutoffMs));
      world.tick(cutoffMs);
    }
  };
  for (const event of events) {
    await passCutoffs(event.receivedAtMs);
    world.send(event);
    await world.settle();
  }
  await passCutoffs(Number.POSITIVE_INFINITY);
  world.tick(START_MS + 100 * DAY_MS);
  return { world, served };
}

async function readRows(out: string, name: string): Promise<Row[]> {
  return (await parquetReadObjects({ file: new Uint8Array(readFileSync(join(out, name))).buffer })) as Row[];
}

const toName = ({ profile_key, cutoff }: Row) => `${profile_key} ${cutoff.getTime()}`;

/** The label of a person, from the events alone. */
function toLabel(events: readonly SentEvent[], keys: ReadonlySet<string>, cutoffMs: number) {
  const orders = events.filter(
    ({ self, name, timestampMs: at }) =>
      keys.has(self.key) && name === 'Order Completed' && at >= cutoffMs && at < cutoffMs + HORIZON_MS,
  );
  const revenue = Math.round(orders.reduce((sum, { amount }) => sum + amount, 0) * 1e4) / 1e4;
  return { purchased: orders.length > 0 ? 1 : 0, orders: orders.length, revenue };
}

/** Rows of all profiles, each under its root, or of each id at each cutoff. */
async function exportAll(world: JoinWorld, of: 'roots' | 'pairs', recordsPerPassMax: number) {
  const out = mkdtempSync(join(folder, 'out-'));
  const archive = await world.writeArchive(join(out, 'archive'));
  const source = { archive, namespace: 'live', artifacts: ARTIFACTS };
  const pairs = IDS.flatMap(({ key }) => CUTOFFS.map((cutoffMs) => ({ key, cutoffMs })));
  const [fromMs, toMs] = [CUTOFFS[0], must(CUTOFFS.at(-1), 'a cutoff') + 1];
  const request = {
    ...(of === 'roots'
      ? { everyMs: 5 * DAY_MS, fromMs, toMs, pairs: undefined }
      : { everyMs: undefined, fromMs: undefined, toMs: undefined, pairs }),
    ...{ horizonMs: HORIZON_MS, sequenceLength: LENGTH, folder: out },
  };
  const manifest = await runExport({ source, spec: SPEC, request, recordsPerPassMax });
  const [rows, labels, sequences] = (await Promise.all(
    ['features', 'labels', 'sequences'].map((name) => readRows(out, `${name}.parquet`)),
  )) as [Row[], Row[], Row[]];
  return { rows, labels, sequences, manifest };
}

const toValues = (row: Row | undefined) => SPEC.names.map((name) => row?.[name] ?? null);

describe(`rows of joined profiles, in ${CASES} cases from seed ${SEED}`, () => {
  it.each(['roots', 'pairs'] as const)('equal what was served at the cutoff, bit for bit: %s', async (of) => {
    let joined = 0;
    let later = 0;
    for (let index = 0; index < CASES; index += 1) {
      const seed = SEED + index;
      const events = drawEvents(createSeededRandom(seed));
      const { world, served } = await play(events);
      const { rows, labels, sequences, manifest } = await exportAll(world, of, index % 2 === 0 ? 20 : 1_000);
      const expected = [...served].filter(
        ([name, profile]) => profile !== undefined && (of === 'pairs' || name.startsWith(`${profile.root} `)),
      );
      expect({ seed, rows: rows.map(toName).sort() }).toEqual({ seed, rows: expected.map(([name]) => name).sort() });
      expect(labels.map(toName)).toEqual(rows.map(toName));
      expect(manifest.unknownPairs).toBe(of === 'pairs' ? served.size - rows.length : 0);
      const byName = new Map(expected);
      for (const [place, row] of rows.entries()) {
        const cutoffMs = row.cutoff.getTime();
        const profile = must(byName.get(toName(row)), 'a served profile');
        expect({ seed, name: toName(row), values: toValues(row) }).toEqual({
          seed,
          name: toName(row),
          values: profile.values,
        });
        const keys = new Set(
          IDS.map(({ key }) => key).filter((key) => (served.get(`${key} ${cutoffMs}`)?.root ?? key) === profile.root),
        );
        expect(labels[place]).toMatchObject(toLabel(events, keys, cutoffMs));
        const known = events.filter(({ self, receivedAtMs }) => keys.has(self.key) && receivedAtMs < cutoffMs);
        const times = known.map(({ timestampMs }) => timestampMs).sort((a, b) => a - b);
        const own = sequences.filter((one) => toName(one) === toName(row));
        expect(own.map((one) => one.days_before_cutoff)).toEqual(
          times.slice(-LENGTH).map((at) => (cutoffMs - at) / DAY_MS),
        );
        if (keys.size > 1) joined += 1;
        if (row.joined === false && IDS.some(({ key }) => key !== row.profile_key && isLaterOne(served, key, row)))
          later += 1;
      }
    }
    // Both kinds were there: merged by the cutoff, and joined after it alone.
    expect(joined).toBeGreaterThan(CASES);
    expect(later).toBeGreaterThan(0);
  });

  it('are two again once they were parted, as if they had never been one', async () => {
    const [anna, phone] = [toUser('anna'), toDevice('phone')];
    const toOrder = (self: SentEvent['self'], day: number, claims?: SentEvent['self']): SentEvent => {
      const atMs = START_MS + day * DAY_MS;
      const times = { timestampMs: atMs, receivedAtMs: atMs };
      return { self, claims, messageId: `${self.key} ${day}`, name: 'Order Completed', amount: day, ...times };
    };
    const [one, two] = [new JoinWorld(), new JoinWorld()];
    for (const [world, claims] of [
      [one, phone],
      [two, undefined],
    ] as const) {
      for (const event of [toOrder(anna, 1, claims), toOrder(phone, 2)]) world.send(event);
      await world.settle();
      world.tick(START_MS + 5 * DAY_MS);
      if (claims !== undefined) {
        const value = { self: phone, leaver: phone, other: anna.key, step: 'left', number: 1, attempt: 1 };
        world.sendRecord(phone.key, { $case: 'unmerge', value: { ...value, hash: '0'.repeat(64) } });
      }
      for (const event of [toOrder(anna, 6), toOrder(phone, 7)]) world.send(event);
      // The record above is for the archive's readers alone: an unmerge has more of them.
      if (claims === undefined) await world.settle();
      world.tick(START_MS + 100 * DAY_MS);
    }
    const { rows } = await exportAll(one, 'roots', 1_000);
    const found = new Map(rows.map((row) => [toName(row), row]));
    const [first, second] = CUTOFFS;
    expect(found.get(`${anna.key} ${first}`)?.orders_count_all).toBe(2);
    expect(found.has(`${phone.key} ${first}`)).toBe(false);
    for (const { key } of [anna, phone]) {
      const row = found.get(`${key} ${second}`);
      expect(row?.joined).toBe(false);
      expect(toValues(row)).toEqual((await two.serve(key, must(second, 'a cutoff')))?.values);
    }
  });
});

/** True when the key and that of the row are one profile at the last cutoff, and were not at the row's. */
function isLaterOne(served: Awaited<ReturnType<typeof play>>['served'], key: string, row: Row): boolean {
  const end = CUTOFFS.at(-1);
  const rootAt = (one: string, at: number | undefined) => served.get(`${one} ${at}`)?.root;
  const isOne = rootAt(key, end) !== undefined && rootAt(key, end) === rootAt(row.profile_key, end);
  return isOne && rootAt(key, row.cutoff.getTime()) !== rootAt(row.profile_key, row.cutoff.getTime());
}
