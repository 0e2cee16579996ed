/**
 * Data of `event.rejected`: what was rejected, why, and where it came from. Schema:
 * proto/edges/event.rejected.schema.json.
 */
export interface EventRejected {
  readonly reason: string;
  /** Step of ingest that rejected it; absent in records written before this field existed. */
  readonly step?: string;
  /** Text for people: what was wrong and where. */
  readonly message: string;
  /** The field that is wrong, by its name in the event; absent where it is the event as a whole. */
  readonly field?: string;
  /** Its value as JSON, cut to 40 characters, invisible characters escaped; absent where it has none. */
  readonly value?: string;
  /** `http`, or the position `<topic>/<partition>:<offset>` that it was read from. */
  readonly position: string;
  readonly sourceId: string | null;
  readonly receivedAt: string;
  /** The event as received: JSON, or base64 when it was not JSON; cut to 32 KiB. */
  readonly event: string;
  readonly encoding: 'json' | 'base64';
  /** Events in this record: this one and `more`. Absent: one. */
  readonly count?: number;
  /** Further events of the same request that the same step rejected for the same reason. */
  readonly more?: readonly RejectedEventText[];
}

/** One of the events of a record of `event.rejected`, with what was wrong with it. */
export interface RejectedEventText {
  readonly message: string;
  /** As in the record; absent also in records written before further events had them. */
  readonly field?: string;
  readonly value?: string;
  readonly event: string;
}

/** The events of a record of `event.rejected`, in the order of their request; `event` is encoded as the record says. */
export function listRejectedEvents(data: EventRejected): RejectedEventText[] {
  const { message, field, value, event } = data;
  const first = { message, event, ...(field !== undefined && { field }), ...(value !== undefined && { value }) };
  return [first, ...(data.more ?? [])];
}

/** Data of `stage.changed`. Schema: proto/edges/stage.changed.schema.json. */
export interface StageChanged {
  readonly profileKey: string;
  readonly userId: string | null;
  readonly number: number;
  readonly from: string | null;
  readonly to: string;
  readonly cause: 'event' | 'score' | 'timer' | 'merge';
  readonly at: string;
  readonly reasons: readonly string[];
  /** The values that the condition read. */
  readonly evidence: Readonly<Record<string, number | null>>;
  readonly lifecycleVersion: number;
  /** Hash of the model's manifest; empty while no model is in force. */
  readonly modelHash: string;
  /** The model's scores, by the names of its heads. */
  readonly scores: Readonly<Record<string, number>>;
}

/** Data of `segment.changed`. Schema: proto/edges/segment.changed.schema.json. */
export interface SegmentChanged {
  readonly profileKey: string;
  readonly userId: string | null;
  readonly number: number;
  readonly segment: string;
  readonly change: 'entered' | 'left';
  readonly cause: 'event' | 'timer' | 'definition' | 'merge';
  readonly at: string;
  readonly reasons: readonly string[];
  /** The values that the condition read. */
  readonly evidence: Readonly<Record<string, number | string | boolean | null>>;
  readonly segmentsVersion: number;
}

/** Data of `action.decided`. Schema: proto/edges/action.decided.schema.json. */
export interface ActionDecided {
  readonly actionId: string;
  readonly profileKey: string;
  readonly userId: string | null;
  readonly strategy: string;
  readonly channel: string;
  readonly template: string;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly stage: string;
  readonly cause: { readonly kind: string; readonly id: string };
  readonly reasons: readonly string[];
  readonly policyVersion: number;
  /** Hash of the model's manifest; empty while no model is in force. */
  readonly modelHash: string;
  /** The model's scores when the action was decided, by the names of its heads. */
  readonly scores: Readonly<Record<string, number>>;
  readonly decidedAt: string;
  readonly expiresAt: string;
  readonly cost: number;
  /** What the strategy says of itself; each absent where it says nothing. */
  readonly category?: string;
  readonly topic?: string;
  readonly purpose?: string;
  /** Of a strategy with options: `channel=email,offer=ten`, and the probability of its choice among those that were open. */
  readonly option?: string;
  readonly optionPropensity?: number;
  /** The experiment that the strategy belongs to, the profile's arm, and that arm's probability; absent without one. */
  readonly experiment?: string;
  readonly arm?: string;
  readonly propensity?: number;
}

/** Data of `experiment.assigned`. Schema: proto/edges/experiment.assigned.schema.json. */
export interface ExperimentAssigned {
  readonly profileKey: string;
  readonly experiment: string;
  readonly layer: string;
  readonly arm: string;
  /** Probability of this arm, in (0, 1]. */
  readonly propensity: number;
  readonly cause: { readonly kind: string; readonly id: string };
  readonly policyVersion: number;
  readonly at: string;
}

/** Data of `action.cancelled`. Schema: proto/edges/action.cancelled.schema.json. */
export interface ActionCancelled {
  readonly actionId: string;
  readonly profileKey: string;
  readonly userId: string | null;
  readonly strategy: string;
  readonly channel: string;
  readonly reason: string;
  readonly cancelledAt: string;
}

/** Data of `action.changed`. Schema: proto/edges/action.changed.schema.json. */
export interface ActionChanged {
  readonly actionId: string;
  readonly profileKey: string;
  readonly outcome: string;
  readonly state: string;
  readonly at: string;
  /** Of the report. */
  readonly messageId: string;
  /** Empty where nobody said it. */
  readonly channel: string;
  readonly value: number | null;
  readonly known: boolean;
}
