import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { parse, stringify } from 'yaml';

/**
 * The default policy without quiet hours and holdouts, which would withhold a new customer's welcome for reasons other
 * than speed. Everything else stays, so that the bench pays for the conditions of every strategy.
 */
export function writeBenchPolicy(defaultPolicyFile: string, target: string): void {
  const {
    quietHours: _quietHours,
    holdout: _holdout,
    ...policy
  } = parse(readFileSync(defaultPolicyFile, 'utf8')) as Record<string, unknown>;
  const strategies = Object.entries(policy.strategies as Record<string, Record<string, unknown>>).map(
    ([name, strategy]) => {
      const { holdout: _share, ...rest } = strategy;
      return [name, rest];
    },
  );
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, stringify({ ...policy, strategies: Object.fromEntries(strategies) }));
}
