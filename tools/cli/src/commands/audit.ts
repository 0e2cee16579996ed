import { AppError, systemClock } from '@perennial/kernel';
import type { Platform } from '@perennial/launcher';
import { Command } from 'commander';
import { interruptible } from '../interrupt.js';
import { createNamespaceOption } from '../options.js';
import { line, printJsonLine, printLine, toTable } from '../output.js';
import { requirePlatform } from './sources.js';

interface AuditOptions {
  readonly namespace: string;
  readonly sample: string;
  readonly once?: boolean;
  readonly json?: boolean;
}

/** The answer of the service's command `audit`. */
interface AuditAnswer {
  readonly profiles: number;
  readonly vectors: number;
  readonly mismatches: number;
  readonly seed: string;
  readonly first: ReadonlyArray<{
    readonly profileKey: string;
    readonly partition: number;
    readonly offset: number;
    readonly feature: string;
    readonly served: string;
    readonly recomputed: string;
  }>;
}

const PAUSE_MS = 60_000;

/** Finds the running platform of a namespace; throws `not_found` where there is none. */
type FindPlatform = (namespace: string) => Pick<Platform, 'runCommand'>;

/** `audit features`; tests replace `findPlatform`. */
export function createAuditCommand(findPlatform: FindPlatform = requirePlatform): Command {
  return new Command('audit').addCommand(
    new Command('features')
      .description('compute features again from the archive, and compare them bit for bit with what was served')
      .addOption(createNamespaceOption())
      .option('--sample <n>', 'profiles a round; each round takes others', '100')
      .option('--once', 'one round (default: one a minute, until interrupted or until something differs)')
      .option('--json', 'print a line of JSON a round: {profiles, vectors, mismatches, first, seed}')
      .addHelpText(
        'after',
        '\nExamples:\n  ./perennial audit features\n  ./perennial audit features --once --sample 100000',
      )
      .action(async ({ namespace, sample, once = false, json = false }: AuditOptions) =>
        interruptible(async (signal) => {
          do {
            const output = await findPlatform(namespace).runCommand('feature-store', ['audit', '--sample', sample]);
            report(JSON.parse(output.trim().split('\n').at(-1) ?? '') as AuditAnswer, { json });
            if (!once) await systemClock.wait(PAUSE_MS, signal);
          } while (!once && !signal.aborted);
        }),
      ),
  );
}

/** Throws `data_damaged` when something differs. */
function report(answer: AuditAnswer, { json }: { readonly json: boolean }): void {
  const { profiles, vectors, mismatches, first } = answer;
  if (json) printJsonLine(answer);
  else {
    printLine(line`${profiles} profiles, ${vectors} vectors compared, ${mismatches} values differ`);
    if (first.length > 0) printLine(toTable(first.map((found) => toRow(found))));
  }
  if (mismatches > 0)
    throw new AppError('data_damaged', `${mismatches} values were served that the archive does not give`);
}

function toRow({ profileKey, partition, offset, feature, served, recomputed }: AuditAnswer['first'][number]): string[] {
  return [`${profileKey} at ${partition}:${offset}`, feature, `served ${served}`, `archive ${recomputed}`];
}
