import { describePlatform, type NamespaceStatus, type PlatformStatus } from '@perennial/launcher';
import { toLayout } from '@perennial/native-stack';
import { Command } from 'commander';
import { createNamespaceOption } from '../options.js';
import { line, lines, type Printable, printJson, printLine, toTable } from '../output.js';
import { createSecretsOption, toShown } from '../secrets.js';

interface StatusOptions {
  readonly namespace?: string;
  readonly json?: boolean;
  readonly secrets?: boolean;
}

export function createStatusCommand(): Command {
  const namespace = createNamespaceOption();
  namespace.defaultValue = undefined;
  namespace.description = 'this namespace only (default: all)';
  return new Command('status')
    .addOption(namespace)
    .option('--json', 'print it as JSON')
    .addOption(createSecretsOption())
    .addHelpText(
      'after',
      `
Examples:
  ./perennial status
  ./perennial status --json | jq -r '.namespaces[0].services.ingest.url'
  ./perennial status --json | jq '.namespaces[].groups[] | {processor, lag}'`,
    )
    .action(async ({ namespace: wanted, json, secrets = false }: StatusOptions) => {
      const { root, home } = toLayout();
      const status = await describePlatform({ root, home, namespace: wanted });
      if (json) printJson({ ...status, stack: toShown(status.stack, { secrets }) });
      else printLine(formatStatus(status));
    });
}

/** The page of `status`: the stack, then each namespace. */
export function formatStatus({ stack, namespaces, home }: PlatformStatus): Printable {
  const parts = stack.parts.map(({ part, port, pid, ready, running }) => [
    `  ${part}`,
    toState(running, ready),
    `port ${port ?? '-'}`,
    `pid ${pid ?? '-'}`,
  ]);
  return lines(
    line`stack of ${home}`,
    toTable(parts),
    ...(namespaces.length === 0 ? ['no namespace yet: ./perennial up'] : namespaces.map(formatNamespace)),
  );
}

function formatNamespace({
  namespace,
  partitions,
  clockMode,
  services,
  topics,
  groups,
  inForce,
}: NamespaceStatus): Printable {
  const versions = inForce.map(({ kind, number }) => `${kind} ${number}`).join(', ') || 'nothing';
  const states = Object.entries(services).map(([name, { running, ready, url }]) => [
    `  ${name}`,
    toState(running, ready),
    url ?? '-',
  ]);
  // A line each: what stands still, since when and why, is too long for a column.
  const remarks = Object.entries(services).flatMap(([name, { reasons, notes }]) =>
    [...reasons, ...notes].map((remark) => line`  ${name}: ${remark}`),
  );
  return lines(
    '',
    line`namespace ${namespace}: ${partitions} partitions, clock ${clockMode}; in force: ${versions}`,
    toTable(states),
    ...remarks,
    ...(topics.length > 0 ? [toTable(topics.map(({ topic, records }) => [`  ${topic}`, `${records} records`]))] : []),
    ...topics.flatMap(({ topic, heldBack }) =>
      heldBack.map(
        ({ partition, records }) =>
          line`  ${topic}: ${records} records of partition ${partition} are behind an open transaction; nobody gets them before it ends`,
      ),
    ),
    ...(groups.length > 0 ? [toTable(groups.map(({ processor, lag }) => [`  ${processor}`, `lag ${lag}`]))] : []),
  );
}

function toState(running: boolean, ready: boolean): string {
  if (!running) return 'down';
  return ready ? 'ready' : 'not ready';
}
