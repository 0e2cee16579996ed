import { ECOMMERCE_FEATURES, FeatureSpecs } from '@perennial/feature-engine';
import { createCachedPseudonymizer, createPseudonymizer } from '@perennial/privacy';
import type { ProcessorContext } from '@perennial/processor-host';
import type { Logger } from '@perennial/telemetry';
import { createAccountTelemetry } from './accounts/account-telemetry.js';
import { createFeatureArtifacts, type FeatureArtifacts } from './artifacts.js';
import type { FeatureStoreConfig } from './config.js';
import { createIdentityTelemetry } from './identity/identity-telemetry.js';
import { createJoiningProcessor } from './identity/joining-processor.js';
import { createTagTelemetry } from './tags/tag-telemetry.js';
import { createFeatureTelemetry, type FeatureTelemetry } from './telemetry.js';

/** Keys of accounts cached, so that an active account costs no HMAC. */
const ACCOUNTS_CACHED_MAX = 10_000;

interface FeatureParts {
  readonly definition: ReturnType<typeof createJoiningProcessor>;
  readonly artifacts: FeatureArtifacts;
  readonly telemetry: FeatureTelemetry;
  readonly specs: FeatureSpecs;
}

/** The processor and what it is built from: for the service, a rebuild and an audit. */
export function createParts({
  config,
  namespace,
  metrics,
  logger,
  artifactStore,
}: Pick<ProcessorContext<FeatureStoreConfig>, 'namespace' | 'metrics' | 'artifactStore'> & {
  readonly config: Pick<FeatureStoreConfig, 'secret'>;
  /** Absent for jobs that fold what was folded, and reported, before. */
  readonly logger?: Logger | undefined;
}): FeatureParts {
  const telemetry = createFeatureTelemetry(metrics, logger);
  const specs = new FeatureSpecs(ECOMMERCE_FEATURES);
  const artifacts = createFeatureArtifacts(artifactStore, { specs });
  const joins = createIdentityTelemetry(metrics);
  const accounts = createAccountTelemetry(metrics);
  const tags = createTagTelemetry(metrics);
  const pseudonymizer = createCachedPseudonymizer(createPseudonymizer(config.secret), {
    entriesMax: ACCOUNTS_CACHED_MAX,
  });
  const toAccountKey = (accountId: string) => pseudonymizer.toProfileKey({ accountId });
  const parts = { namespace, artifacts, telemetry, specs, joins, accounts, tags, toAccountKey };
  const definition = createJoiningProcessor(parts);
  return { definition, artifacts, telemetry, specs };
}
