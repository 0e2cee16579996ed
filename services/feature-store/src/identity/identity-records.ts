import {
  type AcceptedEvent,
  AcceptedRecord,
  encodeMessage,
  type HandOver,
  type IdentityChange,
  type Join,
  type Link,
  type ProfileRef,
  type Retraction,
  toFirstField,
  type Unmerge,
} from '@perennial/contracts';
import { ID_STRENGTHS, LEDGER_KEY, type LinkRule, type NamedId, type SentRecord } from '@perennial/identity';
import { AppError } from '@perennial/kernel';
import type { Decoded, Output } from '@perennial/keyed-processor';
import type { ProfileInput as AccountedInput } from '../accounts/with-accounts.js';
import { encodeTag, type GivenTag, type TagInput } from '../tags/tag-records.js';
import { requireChange, requireRef, requireUnmerge } from './check-refs.js';

/** A record about joins. */
export type IdentityRecord =
  | { readonly kind: 'link'; readonly link: Link }
  | { readonly kind: 'join'; readonly join: Join }
  | { readonly kind: 'hand_over'; readonly handOver: HandOver }
  | { readonly kind: 'change'; readonly change: IdentityChange }
  | { readonly kind: 'unmerge'; readonly unmerge: Unmerge };

/** Records that a forwarder passes on, and that are held while a profile leaves. */
export type CarriedRecord = Extract<IdentityRecord, { kind: 'link' | 'hand_over' }>;

/** Input of a step about joins, beside the events. */
export interface IdentityInput {
  readonly identity: IdentityRecord;
  /** The profile that the record is for. */
  readonly self: ProfileRef;
}

/** Input of a step of the profiles that joins are around. */
export type ProfileInput = AccountedInput | TagInput;

/** Input of a step of the service's processor. */
export type AcceptedInput = ProfileInput | IdentityInput;

/** Numbers of the fields of `AcceptedRecord` that hold them begin here. */
const FIRST_FIELD = 4;

/** Decodes a record about joins; undefined for any other, which is nearly every record. Throws when it is not valid. */
export function decodeIdentityInput({
  key,
  value,
}: {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
}): Decoded<IdentityInput> | undefined {
  if (value === null || toFirstField(value) < FIRST_FIELD) return undefined;
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
    case 'identityChange':
      return { kind: 'change', change: requireChange(record.value) };
    case 'unmerge':
      return { kind: 'unmerge', unmerge: requireUnmerge(record.value) };
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
    case 'change':
      return LEDGER_SELF;
    case 'unmerge':
      return identity.unmerge.self ?? LEDGER_SELF;
  }
}

/** The key of the ledger as a record is addressed to it. */
const LEDGER_SELF: ProfileRef = { key: LEDGER_KEY, strength: 0, subject: Buffer.alloc(0) };

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
  return namedIds.map((named) => ({ other: requireRef(named.profile, 'a named id'), rule: toRule(named) }));
}

/** By which rule an id is named, or a profile asked. */
export function toRule(said: {
  readonly alias: boolean;
  readonly tie?: boolean | undefined;
  readonly change?: number | undefined;
}): LinkRule {
  if (said.change !== undefined) return 'merge';
  return said.alias ? 'alias' : said.tie ? 'tie' : 'claim';
}

/** The number of the unmerge with which a forwarded copy is marked; undefined for one without a mark. */
export function toMark(input: AcceptedInput): number | undefined {
  if ('account' in input) return undefined;
  if ('retraction' in input) return input.retraction.leaving;
  if ('tag' in input) return input.tag.leaving;
  if (!('identity' in input)) return input.event.leaving;
  const { identity } = input;
  if (identity.kind === 'link') return identity.link.leaving;
  return identity.kind === 'hand_over' ? identity.handOver.leaving : undefined;
}

/** Encodes what is sent to other keys of the input topic. */
export class IdentityWriter {
  readonly #topic: string;

  constructor(inputTopic: string) {
    this.#topic = inputTopic;
  }

  /** The copy of an event for the profile that its own has joined; marked while that leaves. */
  forwardEvent(event: AcceptedEvent, to: ProfileRef, leaving: number | undefined): Output {
    return this.#toOutput(to, { $case: 'event', value: { ...event, forwardedTo: to, ...toMarked(leaving) } });
  }

  forwardTag(tag: GivenTag, to: ProfileRef, leaving: number | undefined): Output {
    const value = encodeTag({ ...tag, self: to, ...toMarked(leaving) });
    return { topic: this.#topic, key: to.key, partition: 'by-key', value };
  }

  forwardRecord(identity: CarriedRecord, to: ProfileRef, leaving: number | undefined): Output {
    const marked = { self: to, ...toMarked(leaving) };
    if (identity.kind === 'hand_over') return this.handOver({ ...identity.handOver, ...marked }, to);
    return this.#toOutput(to, { $case: 'link', value: { ...identity.link, ...marked } });
  }

  forwardRetraction(retraction: Retraction, to: ProfileRef, leaving: number | undefined): Output {
    const value = { ...retraction, self: to, copy: true, ...toMarked(leaving) };
    return this.#toOutput(to, { $case: 'retraction', value });
  }

  handOver(handOver: HandOver, to: ProfileRef): Output {
    return this.#toOutput(to, { $case: 'handOver', value: handOver });
  }

  /** A step of an unmerge, for a profile or, without one, for the ledger. */
  unmerge(unmerge: Omit<Unmerge, 'self'>, to?: ProfileRef): Output {
    return this.#toOutput(to ?? LEDGER_SELF, { $case: 'unmerge', value: { ...unmerge, self: to } });
  }

  link(link: Link & { readonly self: ProfileRef }): Output {
    return this.#toOutput(link.self, { $case: 'link', value: link });
  }

  toOutputs(sent: readonly SentRecord[]): Output[] {
    return sent.map((record) => {
      const { to, change } = record;
      const isTie = record.rule === 'tie';
      const by = { ...(change !== undefined && { change }), ...(isTie && { tie: true }) };
      if (record.kind === 'link') return this.link({ self: to, other: record.other, ...by });
      const join = { self: to, target: record.target, alias: record.rule !== 'claim' && !isTie, ...by };
      return this.#toOutput(to, { $case: 'join', value: join });
    });
  }

  #toOutput(to: ProfileRef, record: AcceptedRecord['record']): Output {
    const value = encodeMessage(AcceptedRecord, { record });
    return { topic: this.#topic, key: to.key, partition: 'by-key', value };
  }
}

function toMarked(leaving: number | undefined): { leaving?: number } {
  return leaving === undefined ? {} : { leaving };
}
