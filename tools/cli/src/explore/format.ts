import type {
  exploreFunnel,
  explorePaths,
  exploreRetention,
  exploreRfm,
  exploreRules,
  Reading,
} from '@perennial/explore';
import { line, lines, type Printable, toTable } from '../output.js';

type Funnels = Awaited<ReturnType<typeof exploreFunnel>>['funnels'];
type Paths = Awaited<ReturnType<typeof explorePaths>>['paths'];
type Rules = Awaited<ReturnType<typeof exploreRules>>['rules'];
type Rfm = Awaited<ReturnType<typeof exploreRfm>>['rfm'];
type Cohorts = Pick<Awaited<ReturnType<typeof exploreRetention>>, 'cohorts' | 'all'>;

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
] as const;
const NONE = '-';

export function formatFunnels(funnels: Funnels): Printable {
  const tables = funnels.map(({ periodMs, steps }) => {
    const rows = steps.map(({ event, users, rateFromFirst, rateFromPrevious, medianMs }) => [
      users,
      toPercent(rateFromFirst),
      toPercent(rateFromPrevious),
      medianMs === null ? NONE : toSpan(medianMs),
      event,
    ]);
    const table = toTable([['users', 'of first', 'of previous', 'median time', 'step'], ...rows]);
    return periodMs === null ? table : lines(line`began in the period from ${toDay(periodMs)}`, table);
  });
  return lines(...tables);
}

export function formatPaths({ total, distinct, top }: Paths): Printable {
  const rows = top.map(({ events, count, share }) => [count, toPercent(share), events.join(' > ')]);
  return lines(toTable([['sessions', 'share', 'path'], ...rows]), line`${total} sessions, ${distinct} different paths`);
}

export function formatRules({ baskets, tooLarge, found, top }: Rules): Printable {
  const rows = top.map(({ left, right, baskets: both, support, confidence, lift }) => [
    both,
    toPercent(support),
    toPercent(confidence),
    lift.toFixed(2),
    left.join(' + '),
    right,
  ]);
  return lines(
    toTable([['baskets', 'support', 'confidence', 'lift', 'those with', 'have too'], ...rows]),
    line`${found} rules in ${baskets} baskets${tooLarge > 0 ? `; ${tooLarge} baskets were too large` : ''}`,
  );
}

export function formatRetention({ cohorts, all }: Cohorts): Printable {
  if (cohorts.length === 0) return line`nobody began in that time`;
  const periods = cohorts[0]?.returned.map((_, index) => `+${index}`) ?? [];
  const rows = cohorts.map(({ startMs, users, returned }) => [
    toDay(startMs),
    users,
    ...returned.map((count) => (count === null ? NONE : toPercent(count / users))),
  ]);
  const sums = ['all', all.users, ...all.returned.map(toPercent)];
  return toTable([['from', 'users', ...periods], ...rows, sums]);
}

export function formatRfm({ users, thresholds, currency, otherAmounts, classes }: Rfm): Printable {
  const rows = classes.map(({ name, users: own, recencyDays, orders, revenue }) => [
    own,
    toPercent(users === 0 ? null : own / users),
    recencyDays?.toFixed(1) ?? NONE,
    orders?.toFixed(1) ?? NONE,
    revenue?.toFixed(2) ?? NONE,
    name,
  ]);
  const table = toTable([['users', 'share', 'days since', 'orders', 'revenue', 'class'], ...rows]);
  if (thresholds === null) return lines(table, 'nobody has ordered');
  const { recencyDays, orders, revenue } = thresholds;
  return lines(
    table,
    line`recent: less than ${recencyDays.toFixed(1)} days; frequent: more than ${orders.toFixed(2)} orders; valuable: more than ${revenue.toFixed(2)}${currency ? ` ${currency}` : ''}`,
    ...(otherAmounts > 0 ? [line`${otherAmounts} amounts are in other currencies, and not added`] : []),
  );
}

export function formatReading({ events, profiles, files, firstMs, lastMs }: Reading): Printable {
  const span = firstMs === null || lastMs === null ? '' : `, ${toDay(firstMs)} to ${toDay(lastMs)}`;
  return line`of ${events} events of ${profiles} profiles in ${files} files${span}`;
}

function toPercent(share: number | null): string {
  return share === null ? NONE : `${(share * 100).toFixed(share > 0 && share < 0.01 ? 3 : 1)} %`;
}

function toSpan(ms: number): string {
  const [unit, size] = UNITS.find(([, unitMs]) => ms >= unitMs) ?? ['s', 1_000];
  return `${(ms / size).toFixed(1)} ${unit}`;
}

function toDay(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
