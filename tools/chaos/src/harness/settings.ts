import { AppError } from '@perennial/kernel';
import { type MutantName, parseMutantName } from '../mutants.js';
import { RELEASES, type Release } from '../releases.js';

/** What the processes of a chaos run find in their environment. Only `install.ts` reads it: no service that ships does. */
export interface HarnessSettings {
  /** Names the crash point that is wanted, when it is there. */
  readonly crashPointFile: string;
  /** Takes a line for each thing that has happened: see `Happening`. */
  readonly happenedFile: string;
  readonly mutant: MutantName | undefined;
  readonly release: Release | undefined;
}

/** What a process reports once: it broke the rule of its mutant, or wrote a state of the release that it is. */
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

/** Throws `config_invalid` for what no fleet says. */
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
