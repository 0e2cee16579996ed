import { formatProblems } from '@perennial/expressions';
import { FEATURE_SPEC } from '@perennial/feature-engine';
import { AppError, LruCache, toMessage } from '@perennial/kernel';
import { type Policy, parsePolicy } from '@perennial/policy';

/** Policies kept ready. Each partition may have another in force; more than these load again when needed. */
export const POLICIES_KEPT_MAX = 16;

/** Policies by the hash of their content. */
export interface Policies {
  /** Throws a retriable AppError when it cannot be had: the partition waits, visibly, and nothing is skipped. */
  load(hash: string): Promise<Policy>;
}

/** Loads each policy once from the registry, and keeps the last few. A failure is not kept: the next call tries again. */
export function createPolicies(load: (hash: string) => Promise<Buffer>): Policies {
  const kept = new LruCache<string, Promise<Policy>>({ entriesMax: POLICIES_KEPT_MAX, sizeMax: POLICIES_KEPT_MAX });
  const readRegistered = async (hash: string): Promise<Policy> =>
    readPolicy((await load(hash)).toString('utf8'), { fileName: `policy ${hash}` });
  return {
    load(hash) {
      const known = kept.get(hash);
      if (known !== undefined) return known;
      const loading = readRegistered(hash).catch((cause: unknown) => {
        kept.delete(hash);
        throw new AppError('dependency_unavailable', `policy ${hash} cannot be used: ${toMessage(cause)}`, {
          retriable: true,
          cause,
        });
      });
      kept.set(hash, loading);
      return loading;
    },
  };
}

/** A policy out of its YAML; throws `config_invalid` with every problem, one a line. */
export function readPolicy(yaml: string, options: { fileName: string; stages?: Iterable<string> }): Policy {
  const parsed = parsePolicy(yaml, { ...options, featureNames: FEATURE_SPEC.names });
  if (parsed.ok) return parsed.value;
  throw new AppError('config_invalid', formatProblems(parsed.problems));
}
