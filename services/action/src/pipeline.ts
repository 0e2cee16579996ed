import { type ScoreComputed, ScoreRecord, toTopic } from '@perennial/contracts';
import type { LogRecord } from '@perennial/kafka';
import { AppError } from '@perennial/kernel';
import type { Decoded, Output, ProcessorDefinition, StepResult } from '@perennial/keyed-processor';
import type { Pseudonymizer } from '@perennial/privacy';
import { createActionWriter } from './domain/action-record.js';
import { type ActionState, actionStates, toTimerAtMs } from './domain/action-state.js';
import { decideForScore, type PolicyStep, releaseWaiting } from './domain/step.js';
import type { ActionEvents } from './events.js';
import { type ActionEvidence, createPrepare, type Loaders } from './evidence.js';
import { createLoadRollout } from './load-rollout.js';

export const PROCESSOR_NAME = 'action';

export type ActionProcessor = ProcessorDefinition<ActionState, ScoreComputed, ActionEvidence>;

/** `score.computed` -> contact history -> `action.decided`: what this service does, for the keyed processor to run. */
export function createActionProcessor(deps: {
  namespace: string;
  loaders: Loaders;
  pseudonymizer: Pseudonymizer;
  events: ActionEvents;
}): ActionProcessor {
  const { namespace, loaders, events } = deps;
  const topic = toTopic(namespace, 'actionDecided');
  const writeAction = createActionWriter(namespace, deps.pseudonymizer);

  function finish(step: PolicyStep, policyNumber: number): StepResult<ActionState> {
    events.decided(step.result);
    const outputs = step.result.decisions.map(
      (decision): Output => ({ topic, ...writeAction(decision, step.recipient, policyNumber) }),
    );
    return { state: step.state, outputs };
  }

  return {
    name: PROCESSOR_NAME,
    inputTopic: toTopic(namespace, 'scoreComputed'),
    codec: { ...actionStates, timerAtMs: toTimerAtMs },
    decode: decodeScoreRecord,
    // The chain ends here.
    forward: () => undefined,
    loadRollout: createLoadRollout(loaders, events),
    prepare: createPrepare(loaders),
    step({ state, cause, context }, { inForce, manifest }) {
      if (inForce === undefined) {
        events.idle('no_policy');
        return { state, outputs: [] };
      }
      const { number } = inForce;
      const rules = { policy: inForce.policy, manifest };
      const { specs } = loaders;
      const spec = specs.inForce(context.inForce.get('features'));
      const place = { namespace, profileKey: context.key, logTimeMs: context.logTimeMs, spec, specs };
      if (cause.kind === 'timer') {
        if (state === undefined) return { state, outputs: [] };
        return finish(releaseWaiting(rules, state, place), number);
      }
      if (cause.input.stage === '') {
        events.idle('no_stage');
        return { state, outputs: [] };
      }
      return finish(decideForScore(rules, state, cause.input, place), number);
    },
  };
}

/** Throws `contract_violation` for what no policy can judge: no record, no key, or no vector. */
export function decodeScoreRecord(record: LogRecord): Decoded<ScoreComputed> {
  const { record: decoded } = ScoreRecord.decode(record.value ?? Buffer.alloc(0));
  if (decoded?.$case === 'tick') return { kind: 'tick', timeMs: decoded.value.timeMs };
  if (decoded?.$case === 'rollout') return { kind: 'rollout', rollout: decoded.value };
  if (decoded === undefined || record.key === null || record.key.length === 0) {
    throw new AppError('contract_violation', 'not a score record, or one without a key');
  }
  if (decoded.value.features === undefined) throw new AppError('contract_violation', 'a score without features');
  return { kind: 'record', key: record.key.toString(), input: decoded.value };
}
