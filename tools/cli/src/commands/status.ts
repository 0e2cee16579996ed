import { describePlatform, type NamespaceStatus, type PlatformStatus } from '@perennial/launcher';
import { toLayout } from '@perennial/native-stack';
import { Command } from 'commander';
import { createNamespaceOption } from '../options.js';
import { printJson, printLine, toTable } from '../output.js';

interface StatusOptions {
  readonly namespace?: string;
  readonly json?: boolean;
}

export function createStatusCommand(): Command {
  const namespace = createNamespaceOption();
  namespace.defaultValue = undefined;
  namespace.description = 'this namespace only (default: all)';
  return new Command('status')
    .addOption(namespace)
    .option('--json', 'print it as JSON, with the passwords of the local stack in its URLs')
    .addHelpText(
      'after',
      `
Examples:
  ./perennial status
  ./perennial status --json | jq -r '.namespaces[0].services.ingest.url'
  ./perennial status --json | jq '.namespaces[].groups[] | {processor, lag}'`,
    )
    .action(async ({ namespace: wanted, json }: StatusOptions) => {
      const { root, home } = toLayout();
      const status = await describePlatform({ root, home, namespace: wanted });
      if (json) printJson(status);
      else printStatus(status);
    });
}

function printStatus({ stack, namespaces, home }: PlatformStatus): void {
  printLine(`stack of ${home}`);
  printLine(
    toTable(
      stack.parts.map(({ part, port, pid, ready, running }) => [
        `  ${part}`,
        toState(running, ready),
        `port ${port ?? '-'}`,
        `pid ${pid ?? '-'}`,
      ]),
    ),
  );
  if (namespaces.length === 0) printLine('no namespace yet: ./perennial up');
  for (const namespace of namespaces) printNamespace(namespace);
}

function printNamespace({
  namespace,
  partitions,
  clockMode,
  services,
  topics,
  groups,
  inForce,
}: NamespaceStatus): void {
  const versions = inForce.map(({ kind, number }) => `${kind} ${number}`).join(', ');
  printLine(
    `\nnamespace ${namespace}: ${partitions} partitions, clock ${clockMode}; in force: ${versions || 'nothing'}`,
  );
  printLine(
    toTable(
      Object.entries(services).map(([name, { running, ready, url, reasons }]) => [
        `  ${name}`,
        toState(running, ready),
        url ?? '-',
        reasons.join('; '),
      ]),
    ),
  );
  if (topics.length > 0) printLine(toTable(topics.map(({ topic, records }) => [`  ${topic}`, `${records} records`])));
  if (groups.length > 0) printLine(toTable(groups.map(({ processor, lag }) => [`  ${processor}`, `lag ${lag}`])));
}

function toState(running: boolean, ready: boolean): string {
  if (!running) return 'down';
  return ready ? 'ready' : 'not ready';
}
