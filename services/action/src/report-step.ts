import { type ScoreComputed, toTopic } from '@perennial/contracts';
import type { Output, StepItem } from '@perennial/keyed-processor';
import type { Policy } from '@perennial/policy';
import type { Pseudonymizer } from '@perennial/privacy';
import type { ActionState } from './domain/action-state.js';
import { createLifeWriter } from './domain/life-records.js';
import { takeNotice } from './domain/take-notice.js';
import type { ActionTelemetry } from './telemetry.js';

/** The first part of a step: what others report is taken before anything is decided, which then knows of it. */
export function createReportStep({
  namespace,
  pseudonymizer,
  telemetry,
}: {
  readonly namespace: string;
  readonly pseudonymizer: Pseudonymizer;
  readonly telemetry: Pick<ActionTelemetry, 'reported'>;
}) {
  const changed = toTopic(namespace, 'actionChanged');
  const cancelled = toTopic(namespace, 'actionCancelled');
  const write = createLifeWriter(namespace, pseudonymizer);
  return (
    { state, cause, context }: StepItem<ActionState, ScoreComputed>,
    policy: Policy | undefined,
  ): { readonly state: ActionState | undefined; readonly outputs: readonly Output[] } => {
    if (cause.kind === 'timer') return { state, outputs: [] };
    const taken = takeNotice(state, cause.input, { policy, logTimeMs: context.logTimeMs });
    if (taken === undefined) return { state, outputs: [] };
    telemetry.reported(taken);
    const owner = { profileKey: context.key, subject: cause.input.features?.subject ?? Buffer.alloc(0) };
    const outputs = [
      ...taken.changes.map((change) => ({ topic: changed, ...write.changed(change, owner) })),
      ...taken.cancelled.map((one) => ({ topic: cancelled, ...write.cancelled(one, owner) })),
    ];
    return { state: taken.state, outputs };
  };
}
