import type { AuditAnswer, AuditMismatch, AuditMismatches, AuditStatus } from '@perennial/contracts';
import { AppError, systemClock } from '@perennial/kernel';
import type { Platform } from '@perennial/launcher';
import { Command, Option } from 'commander';
import { interruptible } from '../interrupt.js';
import { createNamespaceOption, parseWhole } from '../options.js';
import { line, printJsonLine, printLine, toTable } from '../output.js';
import { requirePlatform } from './sources.js';

interface AuditOptions {
  readonly namespace: string;
  readonly sample: string;
  readonly once?: boolean;
  readonly all?: boolean;
  readonly follow?: boolean;
  readonly json?: boolean;
}

const PAUSE_MS = 60_000;
const FOLLOW_MS = 10_000;

/** Finds the running platform of a namespace; throws `not_found` where there is none. */
type FindPlatform = (namespace: string) => Pick<Platform, 'runCommand'>;

/** `audit features|mismatches`; tests replace `findPlatform`. */
export function createAuditCommand(findPlatform: FindPlatform = requirePlatform): Command {
  return new Command('audit')
    .addCommand(createFeaturesCommand(findPlatform))
    .addCommand(createMismatchesCommand(findPlatform));
}

function createFeaturesCommand(findPlatform: FindPlatform): Command {
  return new Command('features')
    .description('compute features again from the archive, and compare them bit for bit with what was served')
    .addOption(createNamespaceOption())
    .option('--sample <n>', 'profiles a round; each round takes others', '100')
    .option('--once', 'one round (default: one a minute, until interrupted or until something differs)')
    .addOption(new Option('--all', 'every profile, once').conflicts(['once', 'follow']))
    .addOption(new Option('--follow', 'what the audit that runs in the platform does, every 10 s').conflicts('once'))
    .option('--json', 'print a line of JSON a round: {profiles, vectors, mismatches, first, seed}, or its status')
    .addHelpText(
      'after',
      `
Examples:
  ./perennial audit features --follow
  ./perennial audit features --all
  ./perennial audit features --once --sample 100000`,
    )
    .action(async (options: AuditOptions) =>
      interruptible((signal) => (options.follow ? follow : compare)(findPlatform, options, signal)),
    );
}

async function compare(
  findPlatform: FindPlatform,
  { namespace, sample, once = false, all = false, json = false }: AuditOptions,
  signal: AbortSignal,
): Promise<void> {
  const isOnce = once || all;
  do {
    const args = all ? ['audit', '--all'] : ['audit', '--sample', sample];
    report(await ask<AuditAnswer>(findPlatform(namespace), args), { json });
    if (!isOnce) await systemClock.wait(PAUSE_MS, signal);
  } while (!isOnce && !signal.aborted);
}

/** Ends with the first mismatch that is found from now on. */
async function follow(
  findPlatform: FindPlatform,
  { namespace, json = false }: AuditOptions,
  signal: AbortSignal,
): Promise<void> {
  let before: number | undefined;
  while (!signal.aborted) {
    const status = await ask<AuditStatus>(findPlatform(namespace), ['audit', 'status']);
    const { profiles, mismatches, lastSuccessAt, passes } = status;
    if (json) printJsonLine(status);
    else {
      const last = lastSuccessAt ?? 'never';
      printLine(
        line`${profiles} profiles compared, last ${last}, all of them ${Math.min(...passes)} times, ${mismatches} values differ`,
      );
    }
    before ??= mismatches;
    if (mismatches > before) {
      const found = mismatches - before;
      throw new AppError(
        'data_damaged',
        `${found} values differ from the archive: see \`./perennial audit mismatches\``,
      );
    }
    await systemClock.wait(FOLLOW_MS, signal);
  }
}

function createMismatchesCommand(findPlatform: FindPlatform): Command {
  return new Command('mismatches')
    .description('the values that the audit in the platform found to differ from the archive, the newest first')
    .addOption(createNamespaceOption())
    .option('--count <n>', 'at most so many', (text) => parseWhole(text, { min: 1, max: 1_000 }), 20)
    .option(
      '--json',
      'print a line of JSON each: {profileKey, partition, offset, feature, served, recomputed, foundAt}',
    )
    .addHelpText('after', '\nExample:\n  ./perennial audit mismatches')
    .action(async ({ namespace, count, json = false }: { namespace: string; count: number; json?: boolean }) => {
      const args = ['audit', 'mismatches', '--count', String(count)];
      const { mismatches } = await ask<AuditMismatches>(findPlatform(namespace), args);
      if (json) for (const found of mismatches) printJsonLine(found);
      else if (mismatches.length === 0) printLine('no value was found to differ');
      else printLine(toTable(mismatches.map((found) => [found.foundAt, ...toRow(found)])));
    });
}

async function ask<Answer>(platform: Pick<Platform, 'runCommand'>, args: readonly string[]): Promise<Answer> {
  const output = await platform.runCommand('feature-store', [...args]);
  return JSON.parse(output.trim().split('\n').at(-1) ?? '') as Answer;
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

function toRow({ profileKey, partition, offset, feature, served, recomputed }: AuditMismatch): string[] {
  return [`${profileKey} at ${partition}:${offset}`, feature, `served ${served}`, `archive ${recomputed}`];
}
