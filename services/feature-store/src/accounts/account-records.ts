import {
  type AcceptedEvent,
  AcceptedRecord,
  type AccountKnown,
  type AccountLeft,
  encodeMessage,
  toAttributes,
  toFirstField,
} from '@perennial/contracts';
import type { ProfileRef } from '@perennial/identity';
import { AppError } from '@perennial/kernel';
import type { Decoded, Output } from '@perennial/keyed-processor';
import type { AccountValues } from '../domain/account.js';

/** A record about accounts: to a member what its account has, or to an account that a member is in another one. */
type AccountRecord =
  | { readonly kind: 'known'; readonly known: AccountKnown }
  | { readonly kind: 'left'; readonly left: AccountLeft };

/** Input of a step about accounts, beside the events. */
export interface AccountInput {
  readonly account: AccountRecord;
}

/** Number of the field of `AcceptedRecord` that holds the first of them. */
const FIRST_FIELD = 12;

/** Decodes a record about accounts; undefined for any other, which is nearly every record. Throws when it is not valid. */
export function decodeAccountInput({
  key,
  value,
}: {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
}): Decoded<AccountInput> | undefined {
  if (value === null || toFirstField(value) < FIRST_FIELD) return undefined;
  const { record } = AcceptedRecord.decode(value);
  if (record?.$case !== 'accountKnown' && record?.$case !== 'accountLeft') return undefined;
  const selfKey = record.value.self?.key;
  if (selfKey === undefined || selfKey !== key?.toString()) {
    throw new AppError('contract_violation', 'a record about an account under the key of another profile');
  }
  const account: AccountRecord =
    record.$case === 'accountKnown' ? { kind: 'known', known: record.value } : { kind: 'left', left: record.value };
  return { kind: 'record', key: selfKey, input: { account } };
}

/** Encodes what profiles and their accounts send each other by the input topic. */
export class AccountWriter {
  readonly #topic: string;

  constructor(inputTopic: string) {
    this.#topic = inputTopic;
  }

  /** The copy of an event for the account of its profile. Message ids of two members may be equal. */
  eventOf(event: AcceptedEvent, { memberKey, accountKey }: { memberKey: string; accountKey: string }): Output {
    const messageId = `${memberKey}/${event.messageId}`;
    const copy = { ...event, messageId, namedIds: [], forwardedTo: toRef(accountKey), memberKey };
    return this.#toOutput(accountKey, { $case: 'event', value: copy });
  }

  known(memberKey: string, account: { key: string; asOfMs: number; values: AccountValues }): Output {
    const { key, asOfMs, values } = account;
    const names = Object.keys(values);
    const attributes = toAttributes(names.map((name) => values[name] ?? null));
    const known = { self: toRef(memberKey), accountKey: key, asOfMs, names, attributes };
    return this.#toOutput(memberKey, { $case: 'accountKnown', value: known });
  }

  left(accountKey: string, memberKey: string): Output {
    return this.#toOutput(accountKey, { $case: 'accountLeft', value: { self: toRef(accountKey), memberKey } });
  }

  #toOutput(key: string, record: AcceptedRecord['record']): Output {
    return { topic: this.#topic, key, partition: 'by-key', value: encodeMessage(AcceptedRecord, { record }) };
  }
}

/** Accounts join nobody, so that the strength of their ids has no meaning. */
function toRef(key: string): ProfileRef {
  return { key, strength: 0, subject: Buffer.alloc(0) };
}
