import { readGroupMembers, setGroupOffset } from '@perennial/kafka';
import { AppError } from '@perennial/kernel';
import { openLog, toKafkaConnection } from '@perennial/launcher';
import { Command, Option } from 'commander';
import { createBrokersOption, findBrokers } from '../brokers.js';
import { createNamespaceOption, parseWhole } from '../options.js';
import { printJson, printLine, printNotice } from '../output.js';
import { resolveTopic } from '../topic/names.js';
import { formatSkip, planSkip, type Skip } from '../topic/skip.js';

interface SkipOptions {
  readonly namespace: string;
  readonly partition: number;
  readonly to: number;
  readonly group?: string;
  readonly brokers?: string;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

const PARTITIONS_MAX = 1_000_000;

export function createSkipCommand(): Command {
  return new Command('skip')
    .description('get ingest past records that it cannot take: it will not read them')
    .argument('<name>', 'a topic whose reader continues at its committed offset: event.received')
    .addOption(createWholeOption('--partition <p>', 'of which partition', PARTITIONS_MAX))
    .addOption(createWholeOption('--to <offset>', 'the first offset that is read again', Number.MAX_SAFE_INTEGER))
    .addOption(createNamespaceOption())
    .option('--group <name>', 'the consumer group (default: the one that ingests the topic)')
    .addOption(createBrokersOption())
    .option('--dry-run', 'only say what would be skipped')
    .option('--json', 'print {dryRun, group, topic, partition, from, to, members, records, unread}')
    .addHelpText(
      'after',
      `
Nothing should need this: ingest rejects by itself what it cannot read. It works while no instance of ingest runs, only
forward, and within the log; what is skipped stays in the log until its retention ends. Keep the line that it prints.

Processors, projections and the archive keep their offsets beside their states: for them there is nothing to skip.

Examples:
  ./perennial topic event.received --from 1204 --limit 3        look first
  ./perennial topic skip event.received --partition 2 --to 1205 --dry-run
  ./perennial topic skip event.received --partition 2 --to 1205`,
    )
    .action(skip);
}

function createWholeOption(flags: string, what: string, max: number): Option {
  return new Option(flags, what).argParser((text) => parseWhole(text, { min: 0, max })).makeOptionMandatory();
}

async function skip(name: string, options: SkipOptions): Promise<void> {
  const { namespace, dryRun = false } = options;
  const brokers = findBrokers(options.brokers);
  const connection = toKafkaConnection(brokers.kafkaBrokers, 'perennial-cli');
  const log = openLog(brokers);
  try {
    const plan = await planSkip(log, { ...options, named: resolveTopic(name, namespace) });
    const members = await readGroupMembers(connection, plan.at.groupId);
    if (!dryRun) {
      checkNobody(plan, members);
      await setGroupOffset(connection, plan.at);
    }
    report(plan, { members, dryRun, json: options.json });
  } finally {
    await log.close();
  }
}

function checkNobody({ at }: Skip, members: readonly string[]): void {
  if (members.length === 0) return;
  throw new AppError(
    'contract_violation',
    `group ${at.groupId} has members, which would overwrite the offset: ${members.join(', ')}. Stop every instance of ingest (one that was killed is a member until its session ends, some seconds)`,
  );
}

function report(
  plan: Skip,
  { members, dryRun, json }: { members: readonly string[]; dryRun: boolean; json: boolean | undefined },
): void {
  const { at, from, records = null, unread = null } = plan;
  const { groupId: group, topic, partition, offset: to } = at;
  if (json) printJson({ dryRun, group, topic, partition, from, to, members, records, unread });
  else printLine(formatSkip(plan, { dryRun }));
  if (members.length > 0) printNotice(`before that, stop the members of the group: ${members.join(', ')}`);
}
