import type { FeaturesUpdated } from '@perennial/contracts';
import type { Output, StepResult } from '@perennial/keyed-processor';
import { ACCOUNT_MEMBERS_MAX, ACCOUNT_REPORT_EVERY_MS, type AccountState } from '../domain/account.js';
import { readAccount } from '../domain/attributes.js';
import { type FeatureInput, type FoldContext, foldEvent, foldTime } from '../domain/fold.js';
import type { ProfileState } from '../domain/profile-state.js';
import type { AccountWriter } from './account-records.js';
import type { AccountTelemetry } from './account-telemetry.js';

/** Where an account is folded: its key, and what folding needs. */
type AccountPlace = FoldContext & { readonly key: string };

const NOBODY: AccountState = { members: [], cutOff: 0, reported: {}, reportedAtMs: 0 };

/**
 * The state under the key of an account: a profile of the events of all its members, which announces nothing to scoring, and its
 * members, to whom it reports what it has: to a new one at once, to all of them when that has changed, an hour apart at least.
 */
export class AccountFold {
  readonly #writer: AccountWriter;
  readonly #telemetry: AccountTelemetry;

  constructor({ writer, telemetry }: { writer: AccountWriter; telemetry: AccountTelemetry }) {
    this.#writer = writer;
    this.#telemetry = telemetry;
  }

  takeEvent(before: ProfileState | undefined, { event, properties }: FeatureInput, place: AccountPlace) {
    const { memberKey = '', traits } = event;
    const own = traits?.account ?? [];
    const input = { event: { ...event, plan: undefined, traits: { own, accountId: '', account: [] } }, properties };
    const folded = foldEvent(before, input, place);
    if (folded.kind === 'repeated') return { state: before, outputs: [] };
    const { group, isNew } = this.#takeIn(before?.group ?? NOBODY, memberKey);
    // Last, so that a step that throws has counted nothing.
    this.#telemetry.folded();
    return this.#report(folded, { group, newMember: isNew ? memberKey : undefined, place });
  }

  /** A window has moved past an event, or members are to be reported. */
  takeTime(before: ProfileState, place: AccountPlace): StepResult<ProfileState> {
    return this.#report(foldTime(before, place), { group: before.group ?? NOBODY, newMember: undefined, place });
  }

  /** An event of a member was taken back. */
  takeBack(
    taken: { readonly state: ProfileState; readonly update: FeaturesUpdated },
    group: AccountState,
    place: AccountPlace,
  ): StepResult<ProfileState> {
    return this.#report(taken, { group, newMember: undefined, place });
  }

  /** What it has done stays counted. */
  takeLeft(before: ProfileState | undefined, memberKey: string): ProfileState | undefined {
    if (before?.group === undefined) return before;
    return { ...before, group: { ...before.group, members: before.group.members.filter((key) => key !== memberKey) } };
  }

  #takeIn(group: AccountState, memberKey: string): { readonly group: AccountState; readonly isNew: boolean } {
    if (group.members.includes(memberKey)) return { group, isNew: false };
    const isCutOff = group.members.length >= ACCOUNT_MEMBERS_MAX;
    this.#telemetry.tookIn({ isCutOff });
    if (isCutOff) return { group: { ...group, cutOff: group.cutOff + 1 }, isNew: false };
    return { group: { ...group, members: [...group.members, memberKey] }, isNew: true };
  }

  #report(
    { state, update }: { readonly state: ProfileState; readonly update: FeaturesUpdated },
    { group, newMember, place }: { group: AccountState; newMember: string | undefined; place: AccountPlace },
  ): StepResult<ProfileState> {
    const made = place.specs.get(update.specHash);
    const values = readAccount(made, { about: state.about, values: update.values });
    const { asOfMs } = update;
    const account = { key: place.key, asOfMs, values };
    const isChanged = JSON.stringify(values) !== JSON.stringify(group.reported);
    const mayReportAtMs = group.reportedAtMs + ACCOUNT_REPORT_EVERY_MS;
    const isDue = isChanged && asOfMs >= mayReportAtMs;
    const reported = isDue ? group.members : newMember === undefined ? [] : [newMember];
    const outputs: Output[] = reported.map((memberKey) => this.#writer.known(memberKey, account));
    this.#telemetry.reported(outputs.length);
    const after: AccountState = isDue
      ? { ...group, reported: values, reportedAtMs: asOfMs, reportAtMs: undefined }
      : { ...group, reportAtMs: isChanged ? mayReportAtMs : undefined };
    return { state: { ...state, group: after }, outputs };
  }
}
