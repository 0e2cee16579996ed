import { createContentKeeper } from '@perennial/artifacts';
import { type OnEvaluationError, requireValid } from '@perennial/expressions';
import { type CompiledFeatures, oncePerSpec } from '@perennial/feature-engine';
import { type Policy, parsePolicy } from '@perennial/policy';

/** Policies kept ready. Each partition may have another in force; more than these load again when needed. */
const POLICIES_KEPT_MAX = 16;

/** The policy of a hash, its conditions compiled for the vectors of a spec; throws as a `ContentKeeper` does. */
export type Policies = (hash: string, spec: CompiledFeatures) => Promise<Policy>;

/** Policies by the hash of their content, out of the registry's bytes. */
export function createPolicies(
  load: (hash: string) => Promise<Buffer>,
  onEvaluationError: OnEvaluationError,
): Policies {
  const policiesOf = oncePerSpec((spec) => {
    const read = (content: Buffer) =>
      readPolicy(content.toString('utf8'), { fileName: 'policy.yaml', spec, onEvaluationError });
    return createContentKeeper({ load, read }, { kind: 'policy', entriesMax: POLICIES_KEPT_MAX });
  });
  return (hash, spec) => policiesOf(spec)(hash);
}

/** A policy out of its YAML; throws `config_invalid` with every problem, one a line. */
export function readPolicy(
  yaml: string,
  {
    spec,
    ...options
  }: {
    fileName: string;
    stages?: Iterable<string>;
    spec: CompiledFeatures;
    onEvaluationError?: OnEvaluationError;
  },
): Policy {
  return requireValid(parsePolicy(yaml, { ...options, featureNames: spec.names }));
}
