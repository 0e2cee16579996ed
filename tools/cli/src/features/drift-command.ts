import { resolve } from 'node:path';
import { DRIFT_LIMITS } from '@perennial/feature-engine';
import type { Platform } from '@perennial/launcher';
import { Command } from 'commander';
import { requirePlatform } from '../commands/sources.js';
import { createNamespaceOption } from '../options.js';
import { line, lines, type Printable, printJsonLine, printLine, toTable } from '../output.js';

interface DriftOptions {
  readonly namespace: string;
  readonly baseline?: string;
  readonly json?: boolean;
}

/** The answer of the service's command `drift status`. */
interface DriftAnswer {
  readonly hasBaseline: boolean;
  readonly profiles: number;
  readonly features: ReadonlyArray<{ readonly name: string; readonly psi: number; readonly missing: number }>;
}

/** Finds the running platform of a namespace; throws `not_found` where there is none. */
type FindPlatform = (namespace: string) => Pick<Platform, 'runCommand'>;

/** `features drift`; tests replace `findPlatform`. */
export function createDriftCommand(findPlatform: FindPlatform = requirePlatform): Command {
  return new Command('drift')
    .description('how far the values that are served are from those of a training export, by feature')
    .addOption(createNamespaceOption())
    .option('--baseline <manifest>', "compare with this export from now on: its folder's manifest.json")
    .option('--json', 'print {hasBaseline, profiles, features: [{name, psi, missing}]}')
    .addHelpText(
      'after',
      `
PSI above ${DRIFT_LIMITS.psiModerate} is a moderate shift, above ${DRIFT_LIMITS.psiMajor} another population.

Examples:
  ./perennial export --every 30d --out training
  ./perennial features drift --baseline training/manifest.json
  ./perennial features drift`,
    )
    .action(async ({ namespace, baseline, json = false }: DriftOptions) => {
      const platform = findPlatform(namespace);
      const ask = async (args: string[]) => {
        const output = await platform.runCommand('feature-store', ['drift', ...args]);
        return JSON.parse(output.trim().split('\n').at(-1) ?? '') as unknown;
      };
      if (baseline !== undefined) {
        const { features } = (await ask(['baseline', resolve(baseline)])) as { features: number };
        printLine(line`${features} features are compared with ${baseline} from now on`);
        return;
      }
      const answer = (await ask(['status'])) as DriftAnswer;
      if (json) printJsonLine(answer);
      else printLine(format(answer));
    });
}

function format({ hasBaseline, profiles, features }: DriftAnswer): Printable {
  if (!hasBaseline) return line`no export to compare with: give one with --baseline training/manifest.json`;
  if (features.length === 0) return line`${profiles} profiles were seen so far: too few to compare`;
  const rows = [...features].sort((a, b) => b.psi - a.psi);
  const table = toTable(rows.map(({ name, psi, missing }) => [name, psi.toFixed(3), toWords(psi), toShare(missing)]));
  return lines(table, line`PSI of ${profiles} profiles`);
}

function toWords(psi: number): string {
  if (psi > DRIFT_LIMITS.psiMajor) return 'another population';
  return psi > DRIFT_LIMITS.psiModerate ? 'a moderate shift' : 'stable';
}

function toShare(missing: number): string {
  return `${(missing * 100).toFixed(1)} % without a value`;
}
