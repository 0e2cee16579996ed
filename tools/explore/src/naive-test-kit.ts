import { type ProfileRef, toPartition } from '@perennial/contracts';
import { createSeededRandom } from '@perennial/kernel';
import type { Funnel, FunnelOptions } from './funnel.js';
import type { PathOptions } from './paths.js';
import type { Cohort, RetentionOptions } from './retention.js';
import type { RfmOptions } from './rfm.js';
import type { RuleOptions } from './rules.js';
import type { SyntheticEntry, SyntheticEvent, SyntheticJoin } from './synthetic/archive-writer.js';

/** The questions answered a second time, by loops over the events: slow and plain, to compare DuckDB's answers with. */

const DAY_MS = 86_400_000;
const START_MS = Date.UTC(2026, 0, 28, 22);
export const PARTITIONS = 3;
const NAMES = ['A', 'B', 'C', 'Order Completed'];
const ITEMS = ['x', 'y', "z'", 'ä'];

export interface NaiveEvent {
  readonly at: number;
  readonly label: string;
  readonly amount: number | undefined;
  readonly currency: string;
  readonly properties: { readonly products?: unknown; readonly product_id?: unknown };
}

/** A few profiles, some of which join, equal times, events that arrive late, reports of others, and messages that come twice with another content. */
export function createHistory(seed: number): SyntheticEntry[] {
  const random = createSeededRandom(seed);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  let receivedAtMs = START_MS;
  return Array.from({ length: 20 + Math.floor(random() * 250) }, (_, index) => {
    receivedAtMs += pick([0, 0, 1, 60_000, 900_000, 3 * 3_600_000, DAY_MS]);
    if (random() < 0.05) return { tickMs: receivedAtMs };
    if (random() < 0.03) return createJoin();
    if (random() < 0.06) {
      const messageId = random() < 0.5 ? `m${Math.floor(random() * 5)}` : `m${Math.floor(random() * index)}`;
      const retracted = { profileKey: `p${Math.floor(random() * 6)}`, messageId };
      return { retracted, isEarly: random() < 0.3, receivedAtMs };
    }
    const isReport = random() < 0.05;
    const isTrack = !isReport && random() < 0.9;
    const name = isReport ? 'opened' : isTrack ? pick(NAMES) : '';
    return {
      profileKey: `p${Math.floor(random() * 6)}`,
      // Within the profile: another profile may have the same id.
      messageId: random() < 0.15 ? `m${Math.floor(random() * 5)}` : `m${index}`,
      type: isReport ? 'outcome' : isTrack ? 'track' : 'page',
      name,
      timestampMs: receivedAtMs - pick([0, 0, 0, 1, 60_000, DAY_MS, 9 * DAY_MS]),
      receivedAtMs,
      properties: createProperties(),
      ...(name === 'Order Completed' && random() < 0.9
        ? { amount: pick([0.1, 0.2, 7, -1]), currency: pick(['', '', 'USD']) }
        : {}),
    };
  });

  /** Sometimes of a profile that has joined another one, or with a weaker one: those change nothing. */
  function createJoin(): SyntheticJoin {
    const toRef = (n: number) => ({ key: `p${n}`, strength: 16 + n, subject: Buffer.alloc(0) });
    const [self, target] = [toRef(Math.floor(random() * 6)), toRef(Math.floor(random() * 6))];
    return { join: { self, target, alias: false }, receivedAtMs };
  }

  function createProperties(): unknown {
    const draw = random();
    if (draw < 0.1) return {};
    if (draw < 0.2) return { products: 'none', sku: pick(ITEMS) };
    if (draw < 0.3) return { product_id: pick(ITEMS) };
    const product = () =>
      pick([{ product_id: pick(ITEMS) }, { product_id: '', sku: pick(ITEMS) }, { product_id: 7 }, { sku: true }, 3]);
    return { products: Array.from({ length: Math.floor(random() * 5) }, product) };
  }
}

/** By profile at the end, each message once, in order of time. */
export function toProfiles(entries: readonly SyntheticEntry[]): NaiveEvent[][] {
  const profiles = new Map<string, { seen: Set<string>; events: NaiveEvent[] }>();
  const targets = new Map<string, string>();
  for (const entry of entries) {
    if (!('join' in entry)) continue;
    const { self, target } = entry.join as { self: ProfileRef; target: ProfileRef };
    if (target.strength > self.strength && !targets.has(self.key)) targets.set(self.key, target.key);
  }
  const rootOf = (key: string): string => (targets.has(key) ? rootOf(targets.get(key) as string) : key);
  const retractions = entries.filter((entry) => 'retracted' in entry);
  // One that is yet to come may come under any id of the profile.
  const isTakenBack = ({ profileKey, messageId }: SyntheticEvent) =>
    retractions.some(
      ({ retracted, isEarly }) =>
        retracted.messageId === messageId &&
        (isEarly ? rootOf(retracted.profileKey) === rootOf(profileKey) : retracted.profileKey === profileKey),
    );
  // What others report of a profile is nothing that it did.
  const events = entries
    .filter((entry) => 'profileKey' in entry)
    .filter((event) => event.type !== 'outcome' && !isTakenBack(event));
  const partitionOf = ({ profileKey }: SyntheticEvent) => toPartition(profileKey, PARTITIONS);
  for (const entry of events.sort((a, b) => a.receivedAtMs - b.receivedAtMs || partitionOf(a) - partitionOf(b))) {
    const key = rootOf(entry.profileKey);
    const profile = profiles.get(key) ?? { seen: new Set(), events: [] };
    profiles.set(key, profile);
    if (profile.seen.has(entry.messageId)) continue;
    profile.seen.add(entry.messageId);
    const label = entry.type === 'track' ? entry.name : entry.type;
    profile.events.push({
      at: entry.timestampMs,
      label,
      amount: entry.amount,
      currency: entry.currency ?? '',
      properties: entry.properties as NaiveEvent['properties'],
    });
  }
  // The sort is stable: equal times stay in the order in which they were appended.
  return [...profiles.values()].map(({ events }) => events.sort((a, b) => a.at - b.at));
}

const inRange = (at: number, { fromMs = -Infinity, toMs = Infinity }: { fromMs?: number; toMs?: number }) =>
  at >= fromMs && at < toMs;

/** Tries every choice of later events, not only the earliest. */
export function naiveFunnels(profiles: readonly NaiveEvent[][], options: FunnelOptions): Funnel[] {
  const { steps, withinMs, by } = options;
  const range = { fromMs: options.fromMs ?? -Infinity, toMs: options.toMs ?? Infinity };
  const best = profiles.flatMap((events) => {
    let found: number[] = [];
    events.forEach(({ at, label }, index) => {
      if (label !== steps[0] || !inRange(at, range)) return;
      const attempt = [at, ...deepest(events, index, 1, at + withinMs)];
      if (attempt.length > found.length) found = attempt;
    });
    return found.length === 0 ? [] : [found];
  });
  const groups = group(best, ([at]) => toPeriod(at as number, by));
  if (best.length === 0) groups.set(null, []);
  return [...groups]
    .sort(([a], [b]) => (a ?? 0) - (b ?? 0))
    .map(([periodMs, attempts]) => ({
      periodMs,
      steps: steps.map((event, index) => {
        const reached = attempts.filter((times) => times.length > index);
        const users = (n: number) => attempts.filter((times) => times.length > n).length;
        const between = reached.map((times) => (times[index] as number) - (times[index - 1] as number));
        return {
          event,
          users: reached.length,
          rateFromFirst: attempts.length === 0 ? null : reached.length / attempts.length,
          rateFromPrevious: users(Math.max(0, index - 1)) === 0 ? null : reached.length / users(Math.max(0, index - 1)),
          medianMs: index === 0 || reached.length === 0 ? null : median(between),
        };
      }),
    }));

  /** Times of the longest continuation; of equal ones that with the earliest times. */
  function deepest(events: readonly NaiveEvent[], after: number, step: number, untilMs: number): number[] {
    let found: number[] = [];
    for (let index = after + 1; index < events.length && step < steps.length; index += 1) {
      const { at, label } = events[index] as NaiveEvent;
      if (label !== steps[step] || at > untilMs) continue;
      const rest = [at, ...deepest(events, index, step + 1, untilMs)];
      if (rest.length > found.length) found = rest;
    }
    return found;
  }
}

export function naivePaths(profiles: readonly NaiveEvent[][], options: PathOptions) {
  const counts = new Map<string, number>();
  let total = 0;
  for (const session of toSessions(profiles, options)) {
    const labels = session.map(({ label }) => label);
    const begin = options.start === undefined ? 0 : labels.indexOf(options.start);
    if (begin < 0) continue;
    total += 1;
    const path = JSON.stringify(labels.slice(begin, begin + options.length));
    counts.set(path, (counts.get(path) ?? 0) + 1);
  }
  return { total, counts };
}

/** Every choice of up to so many of a list, in its order. */
function listChoices(list: readonly string[], max: number): string[][] {
  const [first, ...rest] = list;
  if (first === undefined || max === 0) return [[]];
  return [...listChoices(rest, max - 1).map((chosen) => [first, ...chosen]), ...listChoices(rest, max)];
}

export function naiveRules(profiles: readonly NaiveEvent[][], options: RuleOptions) {
  const sets =
    options.of === 'events'
      ? toSessions(profiles, options).map((session) => new Set(session.map(({ label }) => label)))
      : profiles.flatMap((events) =>
          events
            .filter(
              ({ at, label }) =>
                label === 'Order Completed' &&
                inRange(at, { fromMs: options.fromMs ?? -Infinity, toMs: options.toMs ?? Infinity }),
            )
            .map(({ properties }) => toItems(properties))
            .filter((items) => items.size > 0),
        );
  const count = (items: readonly string[]) => sets.filter((set) => items.every((item) => set.has(item))).length;
  const choices = sets.flatMap((set) => listChoices([...set].sort(), options.items));
  const distinct = new Map(choices.map((chosen) => [JSON.stringify(chosen), chosen]));
  const rules = [...distinct.values()].flatMap((chosen) =>
    chosen.flatMap((right) => {
      const left = chosen.filter((item) => item !== right);
      const both = count(chosen);
      if (left.length === 0 || both === 0 || both < options.minSupport * sets.length) return [];
      if (both < options.minConfidence * count(left)) return [];
      const confidence = both / count(left);
      const lift = confidence / (count([right]) / sets.length);
      return [{ left, right, baskets: both, support: both / sets.length, confidence, lift }];
    }),
  );
  return { baskets: sets.length, rules };
}

export function naiveCohorts(profiles: readonly NaiveEvent[][], options: RetentionOptions): Cohort[] {
  const { start, back, every, periods } = options;
  const range = { fromMs: options.fromMs ?? -Infinity, toMs: options.toMs ?? Infinity };
  const last = Math.max(...profiles.flat().map(({ at }) => at));
  const members = profiles.flatMap((events) => {
    const index = events.findIndex(({ label }) => start === undefined || label === start);
    const first = events[index];
    if (first === undefined || !inRange(first.at, range)) return [];
    const visits = events.slice(index + 1).filter(({ label }) => back === undefined || label === back);
    return [
      { cohort: toPeriod(first.at, every) as number, visits: new Set(visits.map(({ at }) => toPeriod(at, every))) },
    ];
  });
  return [...new Set(members.map(({ cohort }) => cohort))]
    .sort((a, b) => a - b)
    .map((startMs) => {
      const own = members.filter(({ cohort }) => cohort === startMs);
      let period = startMs;
      const returned = Array.from({ length: periods + 1 }, (_, index) => {
        if (index > 0) period = toNext(period, every);
        return period > last ? null : own.filter(({ visits }) => visits.has(period)).length;
      });
      return { startMs, users: own.length, returned };
    });
}

export function naiveRfm(profiles: readonly NaiveEvent[][], options: RfmOptions) {
  const range = { fromMs: options.fromMs ?? -Infinity, toMs: options.toMs ?? Infinity };
  const now = options.toMs ?? Math.max(...profiles.flat().map(({ at }) => at));
  const orders = profiles.map((events) =>
    events.filter(({ at, label }) => label === 'Order Completed' && inRange(at, range)),
  );
  const paid = orders.flat().filter(({ amount }) => amount !== undefined);
  const counts = group(paid, ({ currency }) => currency);
  const [main] = [...counts].sort(([a, x], [b, y]) => y.length - x.length || (a < b ? -1 : 1))[0] ?? [undefined];
  const users = orders
    .filter((own) => own.length > 0)
    .map((own) => ({
      recency: now - Math.max(...own.map(({ at }) => at)),
      orders: own.length,
      units: own.reduce((sum, { amount = 0, currency }) => sum + (currency === main ? Math.round(amount * 1e4) : 0), 0),
    }));
  const middle = (values: number[]) =>
    options.split === 'median' ? median(values) : values.reduce((sum, value) => sum + value, 0) / values.length;
  const r =
    options.recencyDays === undefined ? middle(users.map(({ recency }) => recency)) : options.recencyDays * DAY_MS;
  const f = options.orders ?? middle(users.map((user) => user.orders));
  const m = options.revenue === undefined ? middle(users.map(({ units }) => units)) : options.revenue * 1e4;
  const classes = group(users, (user) => `${user.recency < r} ${user.orders > f} ${user.units > m}`);
  return { users: users.length, classes, otherAmounts: paid.filter(({ currency }) => currency !== main).length };
}

function toSessions(
  profiles: readonly NaiveEvent[][],
  options: { gapMs: number; fromMs?: number | undefined; toMs?: number | undefined },
) {
  const sessions: NaiveEvent[][] = [];
  for (const events of profiles) {
    let previous = Number.NEGATIVE_INFINITY;
    for (const event of events) {
      if (!inRange(event.at, { fromMs: options.fromMs ?? -Infinity, toMs: options.toMs ?? Infinity })) continue;
      if (event.at - previous > options.gapMs) sessions.push([]);
      sessions.at(-1)?.push(event);
      previous = event.at;
    }
  }
  return sessions;
}

function toItems(properties: NaiveEvent['properties']): Set<string> {
  const products =
    Array.isArray(properties.products) && properties.products.length > 0 ? properties.products : [properties];
  const items = products.map((product: { product_id?: unknown; sku?: unknown }) =>
    [product.product_id, product.sku].find(
      (id) => typeof id === 'number' || (typeof id === 'string' && id.trim() !== ''),
    ),
  );
  return new Set(items.filter((id) => id !== undefined).map((id) => String(id).trim()));
}

function toPeriod(at: number, period: 'week' | 'month' | undefined): number | null {
  if (period === undefined) return null;
  const day = new Date(at);
  if (period === 'month') return Date.UTC(day.getUTCFullYear(), day.getUTCMonth(), 1);
  const midnight = Date.UTC(day.getUTCFullYear(), day.getUTCMonth(), day.getUTCDate());
  return midnight - ((day.getUTCDay() + 6) % 7) * DAY_MS;
}

function toNext(startMs: number, period: 'week' | 'month'): number {
  const day = new Date(startMs);
  return period === 'week' ? startMs + 7 * DAY_MS : Date.UTC(day.getUTCFullYear(), day.getUTCMonth() + 1, 1);
}

function group<T, K>(list: readonly T[], toKey: (one: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const one of list) groups.set(toKey(one), [...(groups.get(toKey(one)) ?? []), one]);
  return groups;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return ((sorted[Math.floor(middle)] as number) + (sorted[Math.ceil(middle)] as number)) / 2;
}
