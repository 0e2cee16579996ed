import { AppError } from '@perennial/kernel';
import { attachPlatform, rebuildNamespace } from '@perennial/launcher';
import { startStack, toLayout } from '@perennial/native-stack';
import { Command } from 'commander';
import { createNamespaceOption } from '../options.js';
import { printLine } from '../output.js';
import { createProgress } from '../progress.js';

interface RebuildCommandOptions {
  readonly namespace: string;
  readonly force?: boolean;
}

export function createRebuildCommand(): Command {
  return new Command('rebuild')
    .addOption(createNamespaceOption())
    .option('--force', 'wipe states that are there and rebuild those too')
    .addHelpText(
      'after',
      `
The last resort: services restore themselves from snapshots. When those are gone too and the log no longer reaches back to
its beginning, this makes the states of feature-store, scoring and action again from the archive. The services must not run;
nothing is published. Interrupted, it may be started again.

Examples:
  ./perennial down --namespace live && ./perennial rebuild && ./perennial up`,
    )
    .action(rebuild);
}

async function rebuild({ namespace, force = false }: RebuildCommandOptions): Promise<void> {
  const { root, home } = toLayout();
  const progress = createProgress();
  try {
    await startStack({ root, home, onProgress: progress.report });
    const platform = attachPlatform({ root, home, namespace });
    if (platform === undefined) throw new AppError('not_found', `there is no namespace ${namespace} here`);
    const { partitions, records, left } = await rebuildNamespace(platform, { force, onProgress: progress.report });
    progress.done();
    if (partitions === 0) printLine('nothing to do: every partition has its states; --force wipes and rebuilds them');
    else {
      printLine(
        `${partitions} partitions rebuilt from ${records} records${left > 0 ? `, ${left} left as they are` : ''}`,
      );
      printLine('next: ./perennial up; the services go on from the log, and publish again what came after');
    }
  } finally {
    progress.done();
  }
}
