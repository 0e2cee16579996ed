import { encodeMessage, FeatureRecord, toTopic } from '@perennial/contracts';
import type { FeatureSpecs } from '@perennial/feature-engine';
import type { FeatureArtifacts } from '../artifacts.js';
import { mergeProfiles } from '../domain/merge.js';
import { isFilling } from '../fill/fills.js';
import { createFeatureProcessor, toUpdatedOutput } from '../processor.js';
import type { FeatureTelemetry } from '../telemetry.js';
import type { IdentityTelemetry } from './identity-telemetry.js';
import { withIdentities } from './with-identities.js';

/** The processor of the service: profiles that join. */
export function createJoiningProcessor({
  joins,
  ...parts
}: {
  readonly namespace: string;
  readonly artifacts: Pick<FeatureArtifacts, 'loadRollout' | 'rates' | 'fills' | 'loadAll'>;
  readonly telemetry: FeatureTelemetry;
  readonly specs: FeatureSpecs;
  readonly joins: IdentityTelemetry;
}) {
  const { namespace, artifacts, specs } = parts;
  const outputTopic = toTopic(namespace, 'featureUpdated');
  return withIdentities({
    profiles: createFeatureProcessor(parts),
    merge(staying, joined, { context: { inForce, logTimeMs }, evidence: { fill, part }, subject }) {
      const spec = specs.inForce(inForce.get('features'));
      const context = { spec, specs, logTimeMs, isFilling: isFilling(inForce, fill), fill, part, subject };
      const { state, update } = mergeProfiles(staying, joined, context);
      return { state, output: toUpdatedOutput(outputTopic, update) };
    },
    toJoined: (to) => ({
      topic: outputTopic,
      value: encodeMessage(FeatureRecord, { record: { $case: 'joined', value: { to } } }),
    }),
    refresh: artifacts.loadAll,
    telemetry: joins,
  });
}
