import { ECOMMERCE_FEATURES, FeatureSpecs } from '@perennial/feature-engine';
import type { ProcessorContext } from '@perennial/processor-host';
import { createFeatureArtifacts, type FeatureArtifacts } from './artifacts.js';
import type { FeatureStoreConfig } from './config.js';
import { createIdentityTelemetry } from './identity/identity-telemetry.js';
import { createJoiningProcessor } from './identity/joining-processor.js';
import { createFeatureTelemetry, type FeatureTelemetry } from './telemetry.js';

interface FeatureParts {
  readonly definition: ReturnType<typeof createJoiningProcessor>;
  readonly artifacts: FeatureArtifacts;
  readonly telemetry: FeatureTelemetry;
  readonly specs: FeatureSpecs;
}

/** The processor and what it is built from: for the service, a rebuild and an audit. */
export function createParts({ namespace, metrics, artifactStore }: ProcessorContext<FeatureStoreConfig>): FeatureParts {
  const telemetry = createFeatureTelemetry(metrics);
  const specs = new FeatureSpecs(ECOMMERCE_FEATURES);
  const artifacts = createFeatureArtifacts(artifactStore, { specs });
  const joins = createIdentityTelemetry(metrics);
  const definition = createJoiningProcessor({ namespace, artifacts, telemetry, specs, joins });
  return { definition, artifacts, telemetry, specs };
}
