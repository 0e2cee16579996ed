import { type ScoreComputed, toTopic } from '@perennial/contracts';
import type { Output, StepItem } from '@perennial/keyed-processor';
import type { Policy } from '@perennial/policy';
import type { Pseudonymizer } from '@perennial/privacy';
import type { ActionState } from './domain/action-state.js';
import { createLifeWriter, type Owner } from './domain/life-records.js';
import { type NoticeStep, takeNotice } from './domain/take-notice.js';
import type { ActionTelemetry } from './telemetry.js';

interface LifeDeps {
  readonly namespace: string;
  readonly pseudonymizer: Pseudonymizer;
  readonly telemetry: Pick<ActionTelemetry, 'reported'>;
}

type TakenChanges = Pick<NoticeStep, 'changes' | 'cancelled' | 'dropped'>;

/** Counts what became of actions, and makes the records of it. */
export function createLifePublisher({ namespace, pseudonymizer, telemetry }: LifeDeps) {
  const changed = toTopic(namespace, 'actionChanged');
  const cancelled = toTopic(namespace, 'actionCancelled');
  const write = createLifeWriter(namespace, pseudonymizer);
  return (taken: TakenChanges, owner: Owner): readonly Output[] => {
    telemetry.reported(taken);
    return [
      ...taken.changes.map((change) => ({ topic: changed, ...write.changed(change, owner) })),
      ...taken.cancelled.map((one) => ({ topic: cancelled, ...write.cancelled(one, owner) })),
    ];
  };
}

export type PublishLives = ReturnType<typeof createLifePublisher>;

/** The first part of a step: what others report is taken before anything is decided, which then knows of it. */
export function createReportStep(deps: LifeDeps) {
  const publish = createLifePublisher(deps);
  return (
    { state, cause, context }: StepItem<ActionState, ScoreComputed>,
    policy: Policy | undefined,
  ): { readonly state: ActionState | undefined; readonly outputs: readonly Output[] } => {
    if (cause.kind === 'timer') return { state, outputs: [] };
    const taken = takeNotice(state, cause.input, { policy, logTimeMs: context.logTimeMs });
    if (taken === undefined) return { state, outputs: [] };
    const owner = { profileKey: context.key, subject: cause.input.features?.subject ?? Buffer.alloc(0) };
    return { state: taken.state, outputs: publish(taken, owner) };
  };
}
