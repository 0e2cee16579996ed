import type { ActionDecided, SegmentChanged, StageChanged } from '@perennial/contracts';
import { AcceptedRecord, FeatureRecord, ScoreRecord } from '@perennial/contracts';
import type { LogRecord } from '@perennial/kafka';

/** Examples kept, of different strategies where possible. */
const EXAMPLES_MAX = 3;

/** Counts of the topics' records: only what any outside consumer can see. */
export class Tally {
  readonly events = { accepted: 0, rejected: 0, duplicates: 0 };
  readonly rejectReasons = new Map<string, number>();
  featureUpdates = 0;
  scores = 0;
  transitions = 0;
  actions = 0;
  readonly byStrategy = new Map<string, number>();
  /** `from -> to`, with its count. */
  readonly flows = new Map<string, number>();
  readonly #messages = new Set<string>();
  /** Members by segment; the topic's last record of a profile and a segment counts. */
  readonly #members = new Map<string, Set<string>>();
  readonly #stageOf = new Map<string, { number: number; stage: string }>();
  readonly #examples = new Map<string, ActionDecided>();

  addAccepted(record: LogRecord): void {
    const { record: content } = AcceptedRecord.decode(record.value ?? EMPTY);
    // The copy of an event that a joined profile got is no event of its own.
    if (content?.$case !== 'event' || content.value.forwardedTo !== undefined) return;
    this.events.accepted++;
    const message = `${record.key?.toString() ?? ''}/${content.value.messageId}`;
    if (this.#messages.has(message)) this.events.duplicates++;
    else this.#messages.add(message);
  }

  addRejected(record: LogRecord): void {
    const { reason = 'unknown', count = 1 } = parseJson<{ reason?: string; count?: number }>(record);
    this.events.rejected += count;
    this.rejectReasons.set(reason, (this.rejectReasons.get(reason) ?? 0) + count);
  }

  addFeature(record: LogRecord): void {
    const { record: content } = FeatureRecord.decode(record.value ?? EMPTY);
    if (content?.$case === 'updated') this.featureUpdates++;
  }

  addScore(record: LogRecord): void {
    const { record: content } = ScoreRecord.decode(record.value ?? EMPTY);
    if (content?.$case === 'computed') this.scores++;
  }

  addStageChange(record: LogRecord): void {
    const { profileKey, number, from, to } = parseJson<StageChanged>(record);
    const known = this.#stageOf.get(profileKey);
    // A repeat after a crash has the same number as the first copy.
    if (known !== undefined && known.number >= number) return;
    this.transitions++;
    this.#stageOf.set(profileKey, { number, stage: to });
    const flow = `${from ?? '(first seen)'} -> ${to}`;
    this.flows.set(flow, (this.flows.get(flow) ?? 0) + 1);
  }

  addSegmentChange(record: LogRecord): void {
    const { segment, profileKey, change } = parseJson<SegmentChanged>(record);
    const members = this.#members.get(segment) ?? new Set();
    this.#members.set(segment, members);
    if (change === 'entered') members.add(profileKey);
    else members.delete(profileKey);
  }

  addAction(record: LogRecord): void {
    const action = parseJson<ActionDecided>(record);
    this.actions++;
    this.byStrategy.set(action.strategy, (this.byStrategy.get(action.strategy) ?? 0) + 1);
    // The latest of each strategy: its profile has the longest history.
    const example = this.#examples.get(action.strategy);
    if (example === undefined || action.decidedAt > example.decidedAt) this.#examples.set(action.strategy, action);
  }

  /** Profiles in each stage. */
  stages(): Map<string, number> {
    const counts = new Map<string, number>();
    for (const { stage } of this.#stageOf.values()) counts.set(stage, (counts.get(stage) ?? 0) + 1);
    return counts;
  }

  /** Members of each segment that ever had one. */
  segments(): Map<string, number> {
    return new Map([...this.#members].map(([segment, members]) => [segment, members.size]));
  }

  /** Those of experiments first, then those of frequent strategies. */
  examples(): readonly ActionDecided[] {
    const byCount = [...this.#examples.values()].sort(
      (a, b) =>
        Number(b.experiment !== undefined) - Number(a.experiment !== undefined) ||
        (this.byStrategy.get(b.strategy) ?? 0) - (this.byStrategy.get(a.strategy) ?? 0),
    );
    return byCount.slice(0, EXAMPLES_MAX);
  }
}

const EMPTY = Buffer.alloc(0);

function parseJson<T>(record: LogRecord): T {
  return JSON.parse((record.value ?? EMPTY).toString('utf8')) as T;
}
