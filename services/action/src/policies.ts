import { type ContentKeeper, createContentKeeper } from '@perennial/artifacts';
import { type OnEvaluationError, requireValid } from '@perennial/expressions';
import { FEATURE_SPEC } from '@perennial/feature-engine';
import { type Policy, parsePolicy } from '@perennial/policy';

/** Policies kept ready. Each partition may have another in force; more than these load again when needed. */
const POLICIES_KEPT_MAX = 16;

/** Policies by the hash of their content, out of the registry's bytes. */
export function createPolicies(
  load: (hash: string) => Promise<Buffer>,
  onEvaluationError: OnEvaluationError,
): ContentKeeper<Policy> {
  const read = (content: Buffer) =>
    readPolicy(content.toString('utf8'), { fileName: 'policy.yaml', onEvaluationError });
  return createContentKeeper({ load, read }, { kind: 'policy', entriesMax: POLICIES_KEPT_MAX });
}

/** A policy out of its YAML; throws `config_invalid` with every problem, one a line. */
export function readPolicy(
  yaml: string,
  options: { fileName: string; stages?: Iterable<string>; onEvaluationError?: OnEvaluationError },
): Policy {
  return requireValid(parsePolicy(yaml, { ...options, featureNames: FEATURE_SPEC.names }));
}
