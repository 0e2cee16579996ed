import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The experiment that `infra/demo/experiments.yaml` adds. */
export const TRIAL = 'welcome_trial';

/** Persons of two arms are planned before anybody looks: the sample has 2,357 customers, 8 of 10 in the two largest arms. */
export const TRIAL_OPTIONS = { window: '90d', planned: '2000', alpha: '0.05', tolerate: '0.001' } as const;

/** As the folders of an installation are; this may be the first one. */
const OWNER_ONLY = 0o700;

/**
 * Writes the default policy and the demo's experiment as one policy into a folder. Returns its path, or undefined where
 * another policy was chosen for the namespace: that one stays, and there is no trial.
 */
export function writeDemoPolicy({
  root,
  folder,
  chosen,
}: {
  /** Of the repository. */
  readonly root: string;
  readonly folder: string;
  /** Path of the policy that the namespace has now; undefined for the default one. */
  readonly chosen: string | undefined;
}): string | undefined {
  const path = join(folder, 'policy.yaml');
  if (chosen !== undefined && chosen !== path) return undefined;
  const parts = ['infra/defaults/policy.yaml', 'infra/demo/experiments.yaml'];
  mkdirSync(folder, { recursive: true, mode: OWNER_ONLY });
  writeFileSync(path, parts.map((part) => readFileSync(join(root, part), 'utf8')).join('\n'));
  return path;
}
