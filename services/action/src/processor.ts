import { PROCESSORS, type ScoreComputed, ScoreRecord, toControl, toTopic, toUpstream } from '@perennial/contracts';
import type { FeatureSpecs } from '@perennial/feature-engine';
import type { LogRecord } from '@perennial/kafka';
import { AppError } from '@perennial/kernel';
import type { Decoded, Output, ProcessorDefinition, StepItem, StepResult } from '@perennial/keyed-processor';
import type { Pseudonymizer } from '@perennial/privacy';
import type { ActionArtifacts } from './artifacts.js';
import { createActionWriter } from './domain/action-record.js';
import { type ActionState, actionStates, toTimerAtMs } from './domain/action-state.js';
import { createExposureWriter } from './domain/exposure-record.js';
import { decideForScore, keepFacts, type PolicyStep, releaseWaiting } from './domain/step.js';
import { isOnlyReport } from './domain/take-notice.js';
import { type ActionEvidence, createPrepare } from './evidence.js';
import { createReportStep } from './report-step.js';
import type { ActionTelemetry } from './telemetry.js';

export const PROCESSOR_NAME = 'action';

export type ActionProcessor = ProcessorDefinition<ActionState, ScoreComputed, ActionEvidence>;

/** `score.computed` -> contact history -> `action.decided`, `experiment.assigned`: the definition that the keyed processor runs. */
export function createActionProcessor(deps: {
  namespace: string;
  artifacts: ActionArtifacts;
  specs: FeatureSpecs;
  pseudonymizer: Pseudonymizer;
  telemetry: ActionTelemetry;
}): ActionProcessor {
  const { namespace, artifacts, specs, telemetry } = deps;
  const topic = toTopic(namespace, 'actionDecided');
  const exposureTopic = toTopic(namespace, 'experimentAssigned');
  const writeAction = createActionWriter(namespace, deps.pseudonymizer);
  const writeExposure = createExposureWriter(namespace);
  const takeReport = createReportStep(deps);

  function finish(step: PolicyStep, policyNumber: number): StepResult<ActionState> {
    telemetry.decided(step.result);
    const outputs = step.result.decisions.map(
      (decision): Output => ({ topic, ...writeAction(decision, step.recipient, policyNumber) }),
    );
    for (const exposure of step.result.exposures ?? []) {
      outputs.push({ topic: exposureTopic, ...writeExposure(exposure, step.recipient.profileKey, policyNumber) });
    }
    return { state: step.state, outputs };
  }

  return {
    name: PROCESSOR_NAME,
    inputTopic: toTopic(namespace, PROCESSORS[PROCESSOR_NAME].input),
    sources: toUpstream(namespace, PROCESSOR_NAME),
    codec: { ...actionStates, timerAtMs: toTimerAtMs },
    decode: decodeScoreRecord,
    // The pipeline ends here.
    forward: () => undefined,
    loadRollout: (rollout, inForce) => artifacts.loadRollout(rollout, inForce),
    prepare: createPrepare(artifacts, specs),
    step(item, evidence) {
      const { state, outputs } = takeReport(item, evidence.inForce?.policy);
      const result = decide({ ...item, state }, evidence);
      return outputs.length === 0 ? result : { ...result, outputs: [...outputs, ...result.outputs] };
    },
  };

  function decide(
    { state, cause, context }: StepItem<ActionState, ScoreComputed>,
    { inForce, manifest, segments }: ActionEvidence,
  ): StepResult<ActionState> {
    if (inForce === undefined) {
      telemetry.idle('no_policy');
      return { state, outputs: [] };
    }
    const rules = { policy: inForce.policy, manifest, segments };
    const spec = specs.inForce(context.inForce.get('features'));
    const place = { namespace, profileKey: context.key, logTimeMs: context.logTimeMs, spec, specs };
    if (cause.kind === 'timer') {
      // A report of this batch may have dropped what waited.
      if (state?.facts === undefined) return { state, outputs: [] };
      return finish(releaseWaiting(rules, state, place), inForce.number);
    }
    if (isOnlyReport(cause.input)) {
      telemetry.idle('report');
      return { state: keepFacts(state, cause.input, segments), outputs: [] };
    }
    if (cause.input.stage === '') {
      telemetry.idle('no_stage');
      return { state, outputs: [] };
    }
    return finish(decideForScore(rules, state, cause.input, place), inForce.number);
  }
}

/** Throws `contract_violation` when a policy cannot be applied: no valid record, no key, or no vector. */
export function decodeScoreRecord(record: LogRecord): Decoded<ScoreComputed> {
  const { record: decoded } = ScoreRecord.decode(record.value ?? Buffer.alloc(0));
  const control = toControl(decoded);
  if (control !== undefined) return control;
  if (decoded?.$case !== 'computed' || record.key === null || record.key.length === 0) {
    throw new AppError('contract_violation', 'not a score record, or one without a key');
  }
  if (decoded.value.features === undefined) throw new AppError('contract_violation', 'a score without features');
  return { kind: 'record', key: record.key.toString(), input: decoded.value };
}
