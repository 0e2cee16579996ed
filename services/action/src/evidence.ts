import type { Rollout, ScoreComputed } from '@perennial/contracts';
import type { FeatureSpecs } from '@perennial/feature-engine';
import type { StepItem } from '@perennial/keyed-processor';
import type { ModelManifest } from '@perennial/model-manifest';
import type { ActionArtifacts } from './artifacts.js';
import type { ActionState } from './domain/action-state.js';
import type { PolicyInForce, SegmentList } from './domain/step.js';

type Item = StepItem<ActionState, ScoreComputed>;

/** Inputs of a decision besides the record: the policy in force, and the heads of the scores. */
export interface ActionEvidence {
  readonly inForce: PolicyInForce | undefined;
  /** Undefined where there are no scores. */
  readonly manifest: ModelManifest | undefined;
  /** Undefined while none are in force. */
  readonly segments: SegmentList | undefined;
}

/** The evidence of a whole batch: usually one policy and one manifest for all of it, each loaded once. */
export function createPrepare(artifacts: ActionArtifacts, specs: FeatureSpecs) {
  return async (items: readonly Item[]): Promise<ActionEvidence[]> => {
    const policies = new Map<Rollout, PolicyInForce>();
    const manifests = new Map<string, ModelManifest>();
    const lists = new Map<Rollout, SegmentList>();
    for (const item of items) {
      const { inForce } = item.context;
      const rollout = inForce.get('policy');
      if (rollout === undefined) continue;
      if (!policies.has(rollout)) {
        const policy = await artifacts.policy(rollout.hash, specs.inForce(inForce.get('features')));
        policies.set(rollout, { policy, number: rollout.number });
      }
      const segments = inForce.get('segments');
      if (segments !== undefined && !lists.has(segments)) {
        lists.set(segments, { names: await artifacts.segmentNames(segments.hash), number: segments.number });
      }
      const hash = toModelHash(item);
      if (hash !== undefined && !manifests.has(hash)) manifests.set(hash, await artifacts.manifest(hash));
    }
    return items.map((item) => {
      const { inForce } = item.context;
      const rollout = inForce.get('policy');
      const segments = inForce.get('segments');
      const hash = toModelHash(item);
      return {
        inForce: rollout && policies.get(rollout),
        manifest: hash === undefined ? undefined : manifests.get(hash),
        segments: segments && lists.get(segments),
      };
    });
  };
}

/** The model of an item's scores: of the record, or of the actions that wait in the state. */
function toModelHash({ cause, state }: Item): string | undefined {
  if (cause.kind === 'record') return cause.input.scores.length === 0 ? undefined : cause.input.modelHash;
  return state?.facts?.scores && state.modelHash;
}
