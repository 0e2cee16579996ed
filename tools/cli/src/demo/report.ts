import type { ProfilePage } from '@perennial/client';
import type { ActionDecided } from '@perennial/contracts';
import type { FullReport } from '../experiments/report.js';
import type { Explained } from './explained.js';
import type { TrafficResult } from './live-traffic.js';
import type { Tally } from './tally.js';
import type { Visitor } from './visitor.js';

/** Output of `./perennial demo --json`. */
export interface DemoReport {
  readonly events: {
    readonly sent: number;
    readonly accepted: number;
    readonly rejected: number;
    readonly duplicates: number;
  };
  readonly features: { readonly updates: number };
  readonly scores: number;
  readonly transitions: number;
  readonly actions: {
    readonly total: number;
    readonly byStrategy: Readonly<Record<string, number>>;
    /** Decisions for no action, by reason. */
    readonly suppressed: Readonly<Record<string, number>>;
  };
  /** Profiles in each stage. */
  readonly stages: Readonly<Record<string, number>>;
  /** Members of each segment; a profile may be in several. */
  readonly segments: Readonly<Record<string, number>>;
  /** From the answer 200 until a consumer sees the action; null when the live traffic caused none. */
  readonly latencyMs: { readonly p50: number | null; readonly p99: number | null };
  readonly seconds: number;
  readonly flows: Readonly<Record<string, number>>;
  readonly examples: readonly ActionDecided[];
  /** The experiment of the demo's policy; null where another policy was chosen for the namespace. */
  readonly trial: FullReport | null;
  readonly explained: Explained;
  /** A visitor who became a customer, and the page of both ids. */
  readonly visitor: Visitor & { readonly page: ProfilePage };
  readonly history: { readonly origin: 'cdnow' | 'simulated'; readonly note: string };
}

export interface ReportInput {
  readonly sent: number;
  readonly tally: Tally;
  readonly suppressed: Readonly<Record<string, number>>;
  readonly traffic: TrafficResult;
  readonly visitor: DemoReport['visitor'];
  readonly trial: DemoReport['trial'];
  readonly explained: Explained;
  readonly history: DemoReport['history'];
  readonly seconds: number;
}

export function toDemoReport(input: ReportInput): DemoReport {
  const { sent, tally, suppressed, traffic, visitor, trial, explained, history, seconds } = input;
  return {
    events: { sent, ...tally.events },
    features: { updates: tally.featureUpdates },
    scores: tally.scores,
    transitions: tally.transitions,
    actions: { total: tally.actions, byStrategy: toSorted(tally.byStrategy), suppressed },
    stages: toSorted(tally.stages()),
    segments: toSorted(tally.segments()),
    latencyMs: { p50: traffic.latencyMs.p50, p99: traffic.latencyMs.p99 },
    seconds: Math.round(seconds * 10) / 10,
    flows: toSorted(tally.flows),
    examples: tally.examples(),
    trial,
    explained,
    visitor,
    history,
  };
}

/** Descending by count, equal counts by name, so that two runs print the same. */
function toSorted(counts: ReadonlyMap<string, number>): Record<string, number> {
  return Object.fromEntries([...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)));
}
