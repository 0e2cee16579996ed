import type { ScoreComputed } from '@perennial/contracts';
import type { FeatureSpecs } from '@perennial/feature-engine';
import type { StepItem } from '@perennial/keyed-processor';
import type { ModelManifest } from '@perennial/model-manifest';
import type { ActionArtifacts } from './artifacts.js';
import type { ActionState } from './domain/action-state.js';
import type { PolicyInForce } from './domain/step.js';

/** What a decision goes by besides the record: the policy in force, and which heads the scores are. */
export interface ActionEvidence {
  readonly inForce: PolicyInForce | undefined;
  /** Undefined where there are no scores. */
  readonly manifest: ModelManifest | undefined;
}

/** The evidence of a whole batch: mostly one policy and one manifest for all of it. */
export function createPrepare(artifacts: ActionArtifacts, specs: FeatureSpecs) {
  return async (items: ReadonlyArray<StepItem<ActionState, ScoreComputed>>): Promise<ActionEvidence[]> => {
    const evidence: ActionEvidence[] = [];
    for (const item of items) {
      const rollout = item.context.inForce.get('policy');
      const modelHash = toModelHash(item);
      const spec = specs.inForce(item.context.inForce.get('features'));
      evidence.push({
        inForce: rollout && { policy: await artifacts.policy(rollout.hash, spec), number: rollout.number },
        manifest: rollout && modelHash !== undefined ? await artifacts.manifest(modelHash) : undefined,
      });
    }
    return evidence;
  };
}

/** The model whose scores an item brings: of the record, or of what waits in the state. */
function toModelHash({ cause, state }: StepItem<ActionState, ScoreComputed>): string | undefined {
  if (cause.kind === 'record') return cause.input.scores.length === 0 ? undefined : cause.input.modelHash;
  return state?.facts?.scores && state.modelHash;
}
