import {
  AcceptedRecord,
  type EventRejected,
  type EventTraits as EventTraitsMessage,
  encodeControl,
  encodeMessage,
  type PlanJudgement,
  type Rollout,
  toCloudEventHeaders,
  toPartition,
} from '@perennial/contracts';
import type { OutgoingRecord } from '@perennial/kafka';
import { must } from '@perennial/kernel';
import type { Pseudonymizer } from '@perennial/privacy';
import type { TraitValue } from '@perennial/traits';
import { cutCredentials } from './domain/credential-text.js';
import type { NormalisedEvent } from './domain/event-shape.js';
import type { PlanResult } from './domain/judge-by-plan.js';
import { withoutKeyFields } from './domain/key-fields.js';
import { LIMITS } from './domain/limits.js';
import type { EventTraits } from './domain/read-event-traits.js';
import type { Rejection } from './domain/rejection.js';
import { toNamedIds } from './named-ids.js';

/** What is needed to turn decisions into records: topics and pseudonymizer. */
export interface RecordContext {
  readonly pseudonymizer: Pseudonymizer;
  readonly acceptedTopic: string;
  readonly rejectedTopic: string;
  readonly namespace: string;
  readonly partitions: number;
}

/** An accepted event on its profile's partition, with the external id as pseudonym (key) and sealed (subject). */
export function toAcceptedRecord(event: NormalisedEvent, sourceId: string, context: RecordContext): OutgoingRecord {
  const { pseudonymizer, acceptedTopic, partitions } = context;
  const { profileKey, subject } = toOwner(event, pseudonymizer);
  const value = encodeMessage(AcceptedRecord, {
    record: {
      $case: 'event',
      value: {
        messageId: event.messageId,
        sourceId,
        type: event.type,
        name: event.name,
        timestampMs: event.timestampMs,
        receivedAtMs: event.receivedAtMs,
        subject,
        // Also where only the key is known: a report must not pass for the word of a stronger id.
        anonymous: event.userId === undefined,
        propertiesJson: Buffer.from(event.propertiesJson),
        timeZone: event.timeZone,
        amount: event.amount,
        currency: event.currency,
        namedIds: toNamedIds(event, pseudonymizer),
        forwardedTo: undefined,
        traits: toTraits(event.said),
        contextJson: event.contextJson === undefined ? undefined : Buffer.from(event.contextJson),
        plan: event.planNumber === 0 ? undefined : toPlanJudgement(event),
        notice: event.notice,
      },
    },
  });
  return {
    topic: acceptedTopic,
    partition: toPartition(profileKey, partitions),
    key: Buffer.from(profileKey),
    value,
    headers: {},
  };
}

/** The profile of an event; of a report that names it by its key nobody can tell the id. */
function toOwner(event: NormalisedEvent, pseudonymizer: Pseudonymizer): { profileKey: string; subject: Buffer } {
  const { userId, anonymousId } = event;
  if (event.profileKey !== undefined) return { profileKey: event.profileKey, subject: Buffer.alloc(0) };
  const externalId = must(userId ?? anonymousId, 'an id of a normalised event');
  const profileKey = pseudonymizer.toProfileKey(userId === undefined ? { anonymousId: externalId } : { userId });
  return { profileKey, subject: pseudonymizer.seal(externalId) };
}

function toTraits({ traits, accountId, accountTraits }: EventTraits): EventTraitsMessage | undefined {
  if (traits.length === 0 && accountId === undefined) return undefined;
  const toMessages = (said: typeof traits) => said.map(({ name, value }) => ({ name, value: toTraitValue(value) }));
  return { own: toMessages(traits), accountId: accountId ?? '', account: toMessages(accountTraits) };
}

function toTraitValue(value: TraitValue): EventTraitsMessage['own'][number]['value'] {
  switch (value.kind) {
    case 'removed':
      return undefined;
    case 'text':
      return { $case: 'text', value: value.text };
    case 'number':
      return { $case: 'number', value: value.number };
    case 'flag':
      return { $case: 'flag', value: value.flag };
    case 'time':
      return { $case: 'timeMs', value: value.timeMs };
  }
}

function toPlanJudgement({ planNumber, violations, outliers }: PlanResult): PlanJudgement {
  return {
    number: planNumber,
    outliers: [...outliers],
    violations: violations.map(({ reason, path }) => `${reason} ${path}`.trim()),
  };
}

/** A rejected event and its origin. */
export interface RejectedEvent {
  readonly rejection: Rejection;
  /** The event as parsed JSON, or the bytes if they are not JSON. */
  readonly event: { readonly json: unknown } | { readonly bytes: Uint8Array };
  /** `http`, or `<topic>/<partition>:<offset>`. */
  readonly position: string;
  readonly sourceId: string | null;
  readonly receivedAtMs: number;
  /** The CloudEvent's id: deterministic where there is a position, random for HTTP. */
  readonly id: string;
  /** Further events of the request that the same step rejected for the same reason, as `toRejectedText` gives them. */
  readonly more?: readonly RejectedText[] | undefined;
}

/** A rejected event as text, and what was wrong with it. */
export interface RejectedText {
  readonly message: string;
  readonly field?: string;
  readonly value?: string;
  readonly event: string;
}

/** A rejection as a CloudEvent on `event.rejected`. Without a key: a rejected event need not have an id. */
export function toRejectedRecord(rejected: RejectedEvent, context: RecordContext): OutgoingRecord {
  const { rejection, position, sourceId, receivedAtMs, id, more = [] } = rejected;
  const receivedAt = new Date(receivedAtMs).toISOString();
  const data: EventRejected = {
    reason: rejection.reason,
    step: rejection.step,
    ...toWhatIsWrong(rejection),
    position,
    sourceId,
    receivedAt,
    ...encodeEvent(rejected.event),
    ...(more.length > 0 && { count: more.length + 1, more }),
  };
  return {
    topic: context.rejectedTopic,
    partition: toPartition(id, context.partitions),
    key: null,
    value: Buffer.from(JSON.stringify(data)),
    headers: toCloudEventHeaders({
      id,
      source: `/perennial/${context.namespace}/ingest`,
      type: 'lifecycle.event.rejected.v1',
      time: receivedAt,
    }),
  };
}

function encodeEvent(event: RejectedEvent['event']): Pick<EventRejected, 'event' | 'encoding'> {
  if ('json' in event) return { event: encodeJson(event.json), encoding: 'json' };
  const bytes = Buffer.from(cutCredentials(Buffer.from(event.bytes).toString('latin1')), 'latin1');
  return { event: bytes.subarray(0, LIMITS.eventBytesMax).toString('base64'), encoding: 'base64' };
}

/** A rejected event that is not the first of its record. */
export function toRejectedText(rejection: Rejection, json: unknown): RejectedText {
  return { ...toWhatIsWrong(rejection), event: encodeJson(json) };
}

function toWhatIsWrong({ message, field, value }: Rejection): Pick<RejectedText, 'message' | 'field' | 'value'> {
  return {
    message: cutCredentials(message),
    ...(field !== undefined && { field }),
    ...(value !== undefined && { value: cutCredentials(value) }),
  };
}

function encodeJson(json: unknown): string {
  try {
    const text = Buffer.from(cutCredentials(JSON.stringify(withoutKeyFields(json)) ?? 'null'));
    // A cut may split a character; the replacement character then shows it.
    return text.subarray(0, LIMITS.eventBytesMax).toString();
  } catch {
    // Nested too deeply for JSON.stringify's stack: the message holds what is to be reported.
    return '';
  }
}

/** Tick: "log time has reached `timeMs`" on one partition. */
export function toTickRecord(
  timeMs: number,
  { topic, partition }: { readonly topic: string; readonly partition: number },
): OutgoingRecord {
  const value = encodeControl(AcceptedRecord, { kind: 'tick', timeMs });
  return { topic, partition, key: null, value, headers: {} };
}

/** Rollout: "this is in force from here" on one partition. */
export function toRolloutRecord(
  rollout: Rollout,
  { topic, partition }: { readonly topic: string; readonly partition: number },
): OutgoingRecord {
  const value = encodeControl(AcceptedRecord, { kind: 'rollout', rollout });
  return { topic, partition, key: null, value, headers: {} };
}
