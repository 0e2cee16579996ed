import type { AttributeValue, CompiledFeatures } from '@perennial/feature-engine';
import type { About } from '@perennial/traits';

/** Members that an account reports to; the events of further ones count all the same. */
export const ACCOUNT_MEMBERS_MAX = 500;
/** An account reports no more often than this, log time: that bounds what an event costs. */
export const ACCOUNT_REPORT_EVERY_MS = 3_600_000;

/** Attributes of an account by their names, such as `account.traits.seats`. */
export type AccountValues = Readonly<Record<string, AttributeValue>>;

/** What a profile was reported by its account. */
export interface AccountFacts {
  /** External id of the account. */
  readonly id: string;
  readonly asOfMs: number;
  readonly values: AccountValues;
}

/** What an account keeps besides what every profile has: to whom it has reported what. */
export interface AccountState {
  /** Profile keys, in the order of their first events. */
  readonly members: readonly string[];
  /** Events of profiles that were not taken in, the members being too many. */
  readonly cutOff: number;
  readonly reported: AccountValues;
  readonly reportedAtMs: number;
  /** When members are to be reported of a change; undefined while there is none. */
  readonly reportAtMs?: number | undefined;
}

/** Whether a spec declares anything of accounts: else an account has no state at all. */
export function readsAccounts({ attributes }: Pick<CompiledFeatures, 'attributes'>): boolean {
  return attributes.some(({ source }) => source !== 'trait');
}

/** The account that a profile is in: the group that it joined last. */
export function toAccountId(about: About | undefined): string | undefined {
  const value = about?.accounts[0]?.value;
  return value?.kind === 'text' ? value.text : undefined;
}
