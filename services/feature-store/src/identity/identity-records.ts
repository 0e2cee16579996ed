import {
  type AcceptedEvent,
  AcceptedRecord,
  encodeMessage,
  type HandOver,
  type Join,
  type Link,
  type ProfileRef,
} from '@perennial/contracts';
import { ID_STRENGTHS, type NamedId, type SentRecord } from '@perennial/identity';
import { AppError } from '@perennial/kernel';
import type { Decoded, Output } from '@perennial/keyed-processor';
import { requireRef } from './check-refs.js';

/** A record about joins. */
export type IdentityRecord =
  | { readonly kind: 'link'; readonly link: Link }
  | { readonly kind: 'join'; readonly join: Join }
  | { readonly kind: 'hand_over'; readonly handOver: HandOver };

/** Input of a step about joins, beside the events. */
export interface IdentityInput {
  readonly identity: IdentityRecord;
  /** The profile that the record is for. */
  readonly self: ProfileRef;
}

/** Numbers of the fields of `AcceptedRecord` that hold them begin here. */
const FIRST_FIELD = 4;
/** Of the byte that begins a field: the bits below its number. */
const WIRE_TYPE_BITS = 3;

/** Decodes a record about joins; undefined for any other, which is nearly every record. Throws when it is not valid. */
export function decodeIdentityInput({
  key,
  value,
}: {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
}): Decoded<IdentityInput> | undefined {
  if (value === null || (value[0] ?? 0) >> WIRE_TYPE_BITS < FIRST_FIELD) return undefined;
  const { record } = AcceptedRecord.decode(value);
  const identity = toIdentityRecord(record);
  if (identity === undefined) return undefined;
  const self = selfOf(identity);
  if (self === undefined || self.key !== key?.toString()) {
    throw new AppError('contract_violation', `a record ${identity.kind} under the key of another profile`);
  }
  return { kind: 'record', key: self.key, input: { identity, self: requireRef(self, 'self') } };
}

function toIdentityRecord(record: AcceptedRecord['record']): IdentityRecord | undefined {
  switch (record?.$case) {
    case 'link':
      return { kind: 'link', link: record.value };
    case 'join':
      return { kind: 'join', join: record.value };
    case 'handOver':
      return { kind: 'hand_over', handOver: record.value };
    default:
      return undefined;
  }
}

function selfOf(identity: IdentityRecord): ProfileRef | undefined {
  switch (identity.kind) {
    case 'link':
      return identity.link.self;
    case 'join':
      return identity.join.self;
    case 'hand_over':
      return identity.handOver.self;
  }
}

/** The profile that an event is for: of a forwarded copy that of its key, else that of its own id. */
export function toSelf(key: string, { forwardedTo, anonymous, subject }: AcceptedEvent): ProfileRef {
  if (forwardedTo === undefined) {
    return { key, strength: anonymous ? ID_STRENGTHS.anonymous : ID_STRENGTHS.user, subject };
  }
  if (forwardedTo.key === key) return requireRef(forwardedTo, 'a forwarded event');
  throw new AppError('contract_violation', 'a forwarded event under the key of another profile');
}

/** The other ids of an event; throws `contract_violation` for one without a profile. */
export function toNamedIds({ namedIds }: AcceptedEvent): readonly NamedId[] {
  return namedIds.map(({ profile, alias }) => ({
    other: requireRef(profile, 'a named id'),
    rule: alias ? 'alias' : 'claim',
  }));
}

/** Encodes what is sent to other keys of the input topic. */
export class IdentityWriter {
  readonly #topic: string;

  constructor(inputTopic: string) {
    this.#topic = inputTopic;
  }

  /** The copy of an event for the profile that its own has joined. */
  forwardEvent(event: AcceptedEvent, to: ProfileRef): Output {
    return this.#toOutput(to, { $case: 'event', value: { ...event, forwardedTo: to } });
  }

  forwardRecord(identity: Exclude<IdentityRecord, { kind: 'join' }>, to: ProfileRef): Output {
    if (identity.kind === 'hand_over') return this.handOver({ ...identity.handOver, self: to }, to);
    return this.#toOutput(to, { $case: 'link', value: { ...identity.link, self: to } });
  }

  handOver(handOver: HandOver, to: ProfileRef): Output {
    return this.#toOutput(to, { $case: 'handOver', value: handOver });
  }

  toOutputs(sent: readonly SentRecord[]): Output[] {
    return sent.map((record) => {
      const { to } = record;
      if (record.kind === 'link')
        return this.#toOutput(to, { $case: 'link', value: { self: to, other: record.other } });
      const join = { self: to, target: record.target, alias: record.rule === 'alias' };
      return this.#toOutput(to, { $case: 'join', value: join });
    });
  }

  #toOutput(to: ProfileRef, record: AcceptedRecord['record']): Output {
    const value = encodeMessage(AcceptedRecord, { record });
    return { topic: this.#topic, key: to.key, partition: 'by-key', value };
  }
}
