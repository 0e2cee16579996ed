import { createArtifactStore } from '@perennial/artifacts';
import { createFolderBlobStore } from '@perennial/blob-store';
import type { LogRecord } from '@perennial/kafka';
import { AppError, isAppError } from '@perennial/kernel';
import { openLog } from '@perennial/launcher';
import { attachStack, toLayout } from '@perennial/native-stack';
import { Command, Option } from 'commander';
import { createNamespaceOption, parseWhole } from '../options.js';
import { printJsonLine, printLine, printNotice } from '../output.js';
import { CONTROL_KINDS, type Decoded, decodeRecord } from '../topic/decode.js';
import { formatRecord, toObject } from '../topic/format.js';
import { createScoreNamer } from '../topic/name-scores.js';
import { type NamedTopic, resolveTopic, SHORT_NAMES } from '../topic/names.js';
import { type From, parseFrom, readTopic } from '../topic/read.js';
import { createSkipCommand } from './topic-skip.js';

interface TopicOptions {
  readonly namespace: string;
  readonly from: From;
  readonly limit?: number;
  readonly follow?: boolean;
  readonly control: boolean;
  readonly json?: boolean;
}

export function createTopicCommand(): Command {
  return (
    new Command('topic')
      // Options behind `skip` are its own, though some have the same names.
      .enablePositionalOptions()
      .addCommand(createSkipCommand())
      .argument('<name>', `a topic: ${SHORT_NAMES.join(', ')}, or any full name`)
      .addOption(createNamespaceOption())
      .addOption(
        new Option('--from <where>', 'beginning, end, an offset, or -N for the last N of each partition')
          .argParser(parseFrom)
          .default('beginning' as From, 'beginning'),
      )
      .addOption(
        new Option('--limit <n>', 'stop after this many records').argParser((text) =>
          parseWhole(text, { min: 0, max: Number.MAX_SAFE_INTEGER }),
        ),
      )
      .option('-f, --follow', 'go on with what comes, until Ctrl-C')
      .option('--no-control', 'leave out ticks and rollouts')
      .option('--json', 'one JSON object a line')
      .addHelpText(
        'after',
        `
Examples:
  ./perennial topic action.decided --limit 3
  ./perennial topic event.accepted --no-control --from=-5
  ./perennial topic stage.changed --from end --follow
  ./perennial topic skip event.received --partition 2 --to 1205 --dry-run
  ./perennial topic score.computed --json | jq 'select(.kind == "computed") | .value.stage'`,
      )
      .action(async (name: string, options: TopicOptions) => {
        const layout = toLayout();
        const endpoints = attachStack(layout);
        if (endpoints === undefined)
          throw new AppError('not_found', 'the stack does not run: run `./perennial up` first');
        const log = openLog(endpoints);
        try {
          const artifacts = createArtifactStore(createFolderBlobStore(layout.artifactsDir), options);
          const nameScores = createScoreNamer((hash) => artifacts.load('model', hash));
          await printTopic(log, resolveTopic(name, options.namespace), { ...options, nameScores });
        } finally {
          await log.close();
        }
      })
  );
}

async function printTopic(
  log: ReturnType<typeof openLog>,
  named: NamedTopic,
  options: TopicOptions & { readonly nameScores: (decoded: Decoded) => Promise<Decoded> },
): Promise<void> {
  const aborted = new AbortController();
  process.once('SIGINT', () => aborted.abort());
  // A reader such as `head` has closed the pipe.
  process.stdout.once('error', () => aborted.abort());
  const onRecord = async (record: LogRecord) => {
    const decoded = await options.nameScores(decodeRecord(named.topic, record));
    if (!options.control && CONTROL_KINDS.includes(decoded.kind)) return false;
    if (options.json) printJsonLine(toObject(record, decoded));
    else printLine(formatRecord(record, decoded));
    return true;
  };
  try {
    const { from, limit, follow = false } = options;
    await readTopic(log, { topic: named.name, from, limit, follow, signal: aborted.signal, onRecord });
    for (const [partition, count] of await log.heldBack(named.name)) {
      printNotice(`partition ${partition}: ${count} more behind an open transaction; nobody gets them before it ends`);
    }
  } catch (error) {
    if (!isAppError(error, 'not_found')) throw error;
    throw new AppError('not_found', `there is no topic ${named.name}; declared ones: ${SHORT_NAMES.join(', ')}`, {
      cause: error,
    });
  }
}
