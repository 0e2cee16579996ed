import { rmSync } from 'node:fs';
import { stopNamespace, stopPlatform } from '@perennial/launcher';
import { type Layout, toLayout } from '@perennial/native-stack';
import { Command } from 'commander';
import { toBackfillsFolder } from '../backfill.js';
import { createNamespaceOption } from '../options.js';
import { printLine } from '../output.js';
import { createProgress } from '../progress.js';
import { toWriteKeysFolder } from '../write-key.js';

interface DownOptions {
  readonly namespace?: string;
  readonly volumes?: boolean;
}

export function createDownCommand(): Command {
  const namespace = createNamespaceOption();
  namespace.defaultValue = undefined;
  namespace.description = 'end the services of this namespace only (default: everything)';
  return new Command('down')
    .addOption(namespace)
    .option('--volumes', 'remove all data too: topics, keys, tables, logs')
    .addHelpText(
      'after',
      `
Examples:
  ./perennial down                     end everything; the next \`up\` goes on with the same data
  ./perennial down --volumes           and begin anew
  ./perennial down --namespace trial   end the services of one namespace`,
    )
    .action(down);
}

async function down(options: DownOptions, command: Command): Promise<void> {
  const layout = toLayout();
  const { root, home } = layout;
  if (options.namespace !== undefined && options.volumes) {
    command.error('error: --volumes removes the data of every namespace: leave out --namespace');
  }
  const progress = createProgress();
  progress.report('ending services, then the stack');
  try {
    if (options.namespace !== undefined) await stopNamespace({ root, home, namespace: options.namespace });
    else await stopPlatform({ root, home, removeData: options.volumes ?? false });
    if (options.volumes) removeDerived(layout);
  } finally {
    progress.done();
  }
  printLine(
    options.volumes ? 'everything is down, and its data removed' : `${options.namespace ?? 'everything'} is down`,
  );
}

/** Removes what the command line kept about data that is now removed. */
function removeDerived(layout: Layout): void {
  for (const folder of [toBackfillsFolder(layout), toWriteKeysFolder(layout)])
    rmSync(folder, { recursive: true, force: true });
}
