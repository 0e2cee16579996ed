import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { type Problem, requireValid } from '@perennial/expressions';
import { toConditionNames } from '@perennial/feature-engine';
import { listPresets } from '@perennial/launcher';
import { parseLifecycle } from '@perennial/lifecycle';
import { toLayout } from '@perennial/native-stack';
import { type Finding, lintPolicy, type ParseOptions, type Policy, parsePolicy } from '@perennial/policy';
import { DEFAULT_SPEC, readSpec } from '../features/read-spec.js';
import { readText } from '../read-text.js';

/** Names of the files that a policy is read against. */
export interface PolicySources {
  /** Feature spec; that of the preset, else the default one. */
  readonly features?: string | undefined;
  /** Chart of stages; the one beside the policy, else the default one. */
  readonly lifecycle?: string | undefined;
}

/** A policy file as it was read: a policy, or its problems. */
export interface ReadPolicy {
  readonly policy: Policy | undefined;
  readonly problems: readonly Problem[];
  /** Of a valid one: strategies that never fire, and those that hardly do what they were meant to. */
  readonly findings: readonly Finding[];
}

/**
 * Reads a policy: a file, a preset by its name, or "default". Throws `config_invalid` for files that cannot be read, and a spec or
 * chart that is not valid.
 */
export function readPolicy(file: string, sources: PolicySources = {}): ReadPolicy {
  const { text, options } = readSources(file, sources);
  const parsed = parsePolicy(text, options);
  return parsed.ok
    ? { policy: parsed.value, problems: [], findings: lintPolicy(text, options) }
    : { policy: undefined, problems: parsed.problems, findings: [] };
}

/** The same, but throws `config_invalid` with every problem of one that is not valid. */
export function requirePolicy(file: string, sources: PolicySources = {}): Policy {
  const { text, options } = readSources(file, sources);
  return requireValid(parsePolicy(text, options));
}

function readSources(file: string, sources: PolicySources): { readonly text: string; readonly options: ParseOptions } {
  const { root } = toLayout();
  const isPreset = listPresets(root).includes(file);
  const defaults = join(root, 'infra/defaults');
  const path = toPolicyPath(root, { file, isPreset });
  const names = toConditionNames(readSpec(sources.features ?? (isPreset ? file : DEFAULT_SPEC)));
  const beside = join(dirname(path), 'lifecycle.yaml');
  const chart = sources.lifecycle ?? (existsSync(beside) ? beside : join(defaults, 'lifecycle.yaml'));
  const lifecycle = requireValid(parseLifecycle(readText(chart), { fileName: basename(chart), ...names }));
  const options = { fileName: file, ...names, stages: [...lifecycle.stages.keys()] };
  return { text: readText(path), options };
}

function toPolicyPath(root: string, { file, isPreset }: { readonly file: string; readonly isPreset: boolean }): string {
  if (file === DEFAULT_SPEC) return join(root, 'infra/defaults/policy.yaml');
  return isPreset ? join(root, 'infra/presets', file, 'policy.yaml') : file;
}
