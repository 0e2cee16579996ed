import { AppError } from '@perennial/kernel';
import { type MutantName, parseMutantName } from '../mutants.js';
import { RELEASES, type Release } from '../releases.js';

/** The chaos settings in the environment of a process. Only `install.ts` reads them; no shipped service does. */
export interface HarnessSettings {
  /** File that names the requested crash point, if it exists. */
  readonly crashPointFile: string;
  /** File to which each report is appended as a line: see `Happening`. */
  readonly happenedFile: string;
  readonly mutant: MutantName | undefined;
  readonly release: Release | undefined;
}

/** What a process reports once: it broke the rule of its mutant, or wrote a state of its release. */
export type Happening = 'rule-broken' | 'release-written';

const NAMES = {
  crashPointFile: 'CHAOS_CRASH_POINT_FILE',
  happenedFile: 'CHAOS_HAPPENED_FILE',
  mutant: 'CHAOS_MUTANT',
  release: 'CHAOS_RELEASE',
} as const satisfies Record<keyof HarnessSettings, string>;

export function toHarnessEnvironment(settings: HarnessSettings): Readonly<Record<string, string>> {
  const { crashPointFile, happenedFile, mutant, release } = settings;
  return {
    [NAMES.crashPointFile]: crashPointFile,
    [NAMES.happenedFile]: happenedFile,
    ...(mutant && { [NAMES.mutant]: mutant }),
    ...(release && { [NAMES.release]: release }),
  };
}

/** Throws `config_invalid` for a missing or unknown value. */
export function parseHarnessSettings(env: Readonly<Record<string, string | undefined>>): HarnessSettings {
  const { [NAMES.mutant]: mutant, [NAMES.release]: release } = env;
  return {
    crashPointFile: requireValue(env, NAMES.crashPointFile),
    happenedFile: requireValue(env, NAMES.happenedFile),
    mutant: mutant === undefined ? undefined : parseMutantName(mutant),
    release: release === undefined ? undefined : parseRelease(release),
  };
}

function requireValue(env: Readonly<Record<string, string | undefined>>, name: string): string {
  const value = env[name];
  if (value === undefined || value === '') throw new AppError('config_invalid', `${name} is missing`);
  return value;
}

function parseRelease(text: string): Release {
  const found = RELEASES.find((release) => release === text);
  if (found === undefined) throw new AppError('config_invalid', `no such release: ${text}`);
  return found;
}
