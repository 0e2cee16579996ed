import type { JoinFigures } from '@perennial/simulation';
import type { Audit } from './audit.js';
import type { Difference } from './compare.js';
import type { Injected } from './lanes.js';
import type { LedgerCounts } from './reference.js';
import type { Acknowledged } from './workload.js';

/** A fault, and the longest delay of a record between two services during it. */
export interface Measured extends Injected {
  readonly longestDelayMs: number;
}

export interface ChaosReport {
  readonly seed: number;
  readonly seconds: number;
  /** Name of the rule that was broken on purpose. */
  readonly mutant: string | undefined;
  /** Instances that broke it. When there is none, any difference has another cause. */
  readonly mutantReached: number;
  readonly injected: readonly Measured[];
  readonly acknowledged: number;
  readonly repeats: number;
  readonly agedRepeats: number;
  readonly twins: number;
  readonly busy: Acknowledged['busy'];
  readonly poison: number;
  readonly failedAttempts: Readonly<Record<string, number>>;
  readonly abandoned: number;
  /** Acknowledged, but neither accepted nor rejected. */
  readonly missing: readonly string[];
  /** Accepted, though sent by means that must not count. */
  readonly unwanted: readonly string[];
  /** What stood still while its service was ready. */
  readonly standstills: readonly string[];
  readonly accepted: number;
  readonly rejected: number;
  readonly deadLettered: number;
  readonly tickAheadMs: number;
  readonly actions: number;
  readonly transitions: number;
  /** Of actions, as they were published. */
  readonly outcomes: number;
  readonly cancellations: number;
  readonly exposures: number;
  readonly edgeRepeats: number;
  readonly ledger: LedgerCounts;
  readonly unaskedExits: number;
  /** Processes that ended by an uncaught error, with its stack. */
  readonly crashes: readonly string[];
  /** Of each service's largest instance. */
  readonly peakMemoryBytes: Readonly<Record<string, number>>;
  /** Users whose features do not count each accepted event once. */
  readonly miscounts: readonly string[];
  /** People whose profiles are not one, or not as their events say. */
  readonly misjoins: readonly string[];
  readonly joined: JoinFigures;
  readonly audit: Audit;
  readonly difference: Difference;
}

/** Ingest's own limit plus a margin: a tick that waited to be appended is behind, never ahead. */
const TICK_AHEAD_MS_MAX = 6_000;

/** Memory limit of one instance of a service; the maximum measured in overloads was 190 MB. */
const MEMORY_BYTES_MAX = 512 * 1_048_576;

/** Why a run failed; empty when it passed. */
export function listFailures(report: ChaosReport): string[] {
  const { difference, missing, injected, crashes, miscounts, busy } = report;
  const { misjoins, audit } = report;
  const failures: string[] = [];
  if (missing.length > 0)
    failures.push(`${missing.length} acknowledged events are nowhere: ${missing.slice(0, 5).join(', ')}`);
  if (report.unwanted.length > 0)
    failures.push(
      `${report.unwanted.length} events of aborted transactions were accepted: ${report.unwanted.slice(0, 5).join(', ')}`,
    );
  failures.push(...report.standstills);
  if (difference.lost + difference.doubled + difference.differing > 0)
    failures.push(`the result differs from the fault-free run: ${difference.examples.join('; ')}`);
  for (const what of ['actions', 'transitions', 'outcomes'] as const)
    if (report.ledger[what] !== report[what])
      failures.push(`the tables hold ${report.ledger[what]} of ${report[what]} ${what}`);
  if (crashes.length > 0) failures.push(`${crashes.length} crashes: ${crashes.slice(0, 2).join(', ')}`);
  if (miscounts.length > 0)
    failures.push(`${miscounts.length} users do not have each event once: ${miscounts.slice(0, 5).join(', ')}`);
  if (misjoins.length > 0)
    failures.push(`${misjoins.length} people are not one profile as they should: ${misjoins.slice(0, 5).join('; ')}`);
  if (audit.mismatches > 0)
    failures.push(`the archive gives ${audit.mismatches} other features: ${audit.first.slice(0, 3).join('; ')}`);
  if (audit.profiles < report.joined.total)
    failures.push(`the audit saw ${audit.profiles} profiles of ${report.joined.total} people`);
  if (busy.withoutRetryAfter > 0)
    failures.push(`${busy.withoutRetryAfter} answers of 429 or 503 did not say when to come again`);
  for (const [service, bytes] of Object.entries(report.peakMemoryBytes))
    if (bytes > MEMORY_BYTES_MAX) failures.push(`an instance of ${service} had ${toMegabytes(bytes)} MB in memory`);
  if (report.tickAheadMs > TICK_AHEAD_MS_MAX)
    failures.push(`a tick was ${report.tickAheadMs} ms ahead of the broker's clock`);
  for (const { fault, what, catchUpMs } of injected)
    if (catchUpMs === undefined) failures.push(`after ${fault} (${what}) the services never caught up`);
  return failures;
}

/**
 * True when a mutant broke its rule and the result of the run shows it; slowness of services does not count.
 */
export function isMutantNoticed({ difference, missing, mutantReached }: ChaosReport): boolean {
  const found = difference.lost + difference.doubled + difference.differing + missing.length;
  return mutantReached > 0 && found > 0;
}

/** One line for each fault, then the result of the whole run. */
export function formatChaosReport(report: ChaosReport): string {
  const { difference, joined, audit } = report;
  const rows = [...groupByFault(report.injected)].map(([fault, list]) => [
    String(list[0]?.row ?? ''),
    fault,
    String(list.length),
    toRange(list.map(({ inFlight }) => inFlight)),
    toRange(list.map(({ longestDelayMs }) => longestDelayMs / 1000)),
    toRange(list.map(({ catchUpMs }) => (catchUpMs === undefined ? Number.NaN : catchUpMs / 1000))),
  ]);
  const failedAttempts = Object.entries(report.failedAttempts).map(([reason, count]) => `${reason} ${count}`);
  const broken =
    report.mutant === undefined ? '' : `, broken on purpose: ${report.mutant}, by ${report.mutantReached} instances`;
  const memory = Object.entries(report.peakMemoryBytes).map(([service, bytes]) => `${service} ${toMegabytes(bytes)}`);
  return [
    `chaos: seed ${report.seed}, ${report.seconds} s, ${report.injected.length} faults${broken}`,
    '',
    ...toTable([['row', 'fault', 'times', 'in flight', 'longest delay, s', 'caught up after, s'], ...rows]),
    '',
    `acknowledged ${report.acknowledged} (sent again ${report.repeats}, of these hours after their time ${report.agedRepeats}; by two sources at once ${report.twins}), accepted ${report.accepted}, rejected ${report.rejected} (garbage sent: ${report.poison}), dead-lettered ${report.deadLettered}, missing ${report.missing.length}`,
    `answers tried again: ${failedAttempts.length === 0 ? 'none' : failedAttempts.join(', ')}; of these 429 or 503 ${report.busy.answers}, all but ${report.busy.withoutRetryAfter} with Retry-After; never acknowledged: ${report.abandoned}; services that ended by themselves: ${report.unaskedExits}, crashed: ${report.crashes.length}`,
    `actions ${report.actions} (ledger ${report.ledger.actions}), transitions ${report.transitions} (history ${report.ledger.transitions}), outcomes ${report.outcomes} (ledger ${report.ledger.outcomes}), cancelled ${report.cancellations}, assigned to arms ${report.exposures}, repeated ids on the edges ${report.edgeRepeats}`,
    `memory at most, MB: ${memory.join(', ')}; users whose features do not count each event once: ${report.miscounts.length}`,
    `people with several ids ${joined.people}, of ${joined.ids} ids: records join ${joined.joins}, link ${joined.links}, hand-over ${joined.handOvers}, forwarded events ${joined.forwardedEvents}; unmerges ${joined.unmerges}, parted ${joined.parted}, events taken back ${joined.retracted}; not one as they should: ${report.misjoins.length}`,
    `audit of the features of ${audit.profiles} profiles: ${audit.vectors} vectors, ${audit.mismatches} differ from the archive`,
    `against the fault-free run: lost ${difference.lost}, doubled ${difference.doubled}, differing ${difference.differing}`,
    '',
    ...toVerdict(report),
  ].join('\n');
}

function toVerdict(report: ChaosReport): string[] {
  const failures = listFailures(report).map((failure) => `BROKEN: ${failure}`);
  if (report.mutant !== undefined) {
    if (report.mutantReached === 0) return [...failures, `NOT REACHED: no instance broke the rule ${report.mutant}`];
    return [...failures, isMutantNoticed(report) ? 'noticed' : `NOT NOTICED: ${report.mutant}`];
  }
  return failures.length === 0 ? ['kept: nothing lost, nothing doubled'] : failures;
}

function toMegabytes(bytes: number): number {
  return Math.round(bytes / 1_048_576);
}

function groupByFault(injected: readonly Measured[]): Map<string, Measured[]> {
  const groups = new Map<string, Measured[]>();
  for (const one of [...injected].sort((a, b) => a.row - b.row || (a.fault < b.fault ? -1 : 1))) {
    groups.set(one.fault, [...(groups.get(one.fault) ?? []), one]);
  }
  return groups;
}

function toRange(values: readonly number[]): string {
  const known = values.filter((value) => !Number.isNaN(value));
  if (known.length < values.length) return 'never';
  const [low, high] = [Math.min(...known), Math.max(...known)].map((value) =>
    Number.isInteger(value) ? `${value}` : value.toFixed(1),
  );
  return low === high ? `${low}` : `${low} to ${high}`;
}

function toTable(rows: ReadonlyArray<readonly string[]>): string[] {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
