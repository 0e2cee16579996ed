import type { Expected, Person } from './draw-report.js';

type Accepted = Extract<Expected, { kind: 'accepted' }>;

/** What a person's reports come to. */
export interface Account {
  readonly person: Person;
  /** As `action kind`, in the order in which they came. */
  readonly outcomes: readonly string[];
  /** As `time channel`, each once. */
  readonly contacts: ReadonlySet<string>;
  /** Whether there is a word against using a channel for a topic; undefined for none. */
  blockOf(channel: string, topic: string): 'no_consent' | 'withdrawn' | undefined;
  /** Whether anything was reported that stops a channel without a word of the person. */
  readonly hasObstacle: boolean;
}

/** Takes accepted reports by the rules of the docs, and shares no code with the platform: each once, what was said last counts. */
export class ReportCount {
  readonly #people = new Map<string, Map<string, Accepted>>();

  add(report: Accepted): void {
    const key = JSON.stringify(report.person);
    const own = this.#people.get(key) ?? new Map<string, Accepted>();
    this.#people.set(key, own);
    if (!own.has(report.identity)) own.set(report.identity, report);
  }

  accounts(): Account[] {
    return [...this.#people].map(([key, own]) => toAccount(JSON.parse(key) as Person, [...own.values()]));
  }
}

function toAccount(person: Person, reports: readonly Accepted[]): Account {
  const said = reports.flatMap(({ atMs, said: all }) => all.map((one) => ({ atMs, ...one })));
  const outcomes = reports.flatMap(({ outcome }) => (outcome === undefined ? [] : [outcome]));
  return {
    person,
    outcomes: outcomes.map(({ actionId, kind }) => `${actionId} ${kind}`),
    contacts: new Set(
      reports.flatMap(({ atMs, contact }) => (contact === undefined ? [] : [`${atMs} ${contact.channel}`])),
    ),
    hasObstacle: outcomes.some(({ kind }) => kind === 'bounced' || kind === 'complained'),
    blockOf(channel, topic) {
      const purposes = said.flatMap((one) =>
        'purpose' in one && one.purpose === 'marketing' ? [{ atMs: one.atMs, isNo: !one.granted }] : [],
      );
      if (isLastNo(purposes)) return 'no_consent';
      const fitting = said.flatMap((one) =>
        'channel' in one && ['*', channel].includes(one.channel) && ['', topic].includes(one.topic)
          ? [{ atMs: one.atMs, isNo: one.state === 'withdrawn', width: toWidth(one) }]
          : [],
      );
      return isLastNo(fitting) ? 'withdrawn' : undefined;
    },
  };
}

/** How much of channels and topics it is said of. */
function toWidth({ channel, topic }: { readonly channel: string; readonly topic: string }): number {
  return Number(channel === '*') + Number(topic === '');
}

/** Of two things that were said at one time the narrower counts, of two as narrow the withdrawal. */
function isLastNo(
  said: ReadonlyArray<{ readonly atMs: number; readonly isNo: boolean; readonly width?: number }>,
): boolean {
  const lastMs = Math.max(...said.map(({ atMs }) => atMs));
  const last = said.filter(({ atMs }) => atMs === lastMs);
  const narrowest = Math.min(...last.map(({ width = 0 }) => width));
  return last.some(({ isNo, width = 0 }) => isNo && width === narrowest);
}
