import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { requireValid } from '@perennial/expressions';
import { listTenures, toConditionNames } from '@perennial/feature-engine';
import { AppError, toMessage } from '@perennial/kernel';
import type { Platform } from '@perennial/launcher';
import { parseSegments } from '@perennial/segments';
import { Command, Option } from 'commander';
import { DEFAULT_SPEC, readSpec } from '../features/read-spec.js';
import { createNamespaceOption, parseWhole } from '../options.js';
import { line, lines, type Printable, printJson, printLine, toTable } from '../output.js';
import { readText } from '../read-text.js';
import { createClusterCommand } from '../segments/cluster-command.js';
import { readMembers, toCsv, toJsonLines } from '../segments/members.js';
import { requirePlatform } from './sources.js';

/** Members listed on a terminal; `export` writes all of them. */
const LISTED_MAX = 10_000;

interface Options {
  readonly namespace: string;
  readonly json?: boolean;
}

/** Finds the running platform of a namespace; throws `not_found` where there is none. */
type FindPlatform = (namespace: string) => Pick<Platform, 'client'>;

/** Tests replace `findPlatform`. */
export function createSegmentsCommand(findPlatform: FindPlatform = requirePlatform): Command {
  return new Command('segments')
    .addCommand(createListCommand(findPlatform))
    .addCommand(createShowCommand(findPlatform))
    .addCommand(createSizeCommand(findPlatform))
    .addCommand(createMembersCommand(findPlatform))
    .addCommand(createExportCommand(findPlatform))
    .addCommand(createCheckCommand())
    .addCommand(createClusterCommand());
}

function createListCommand(findPlatform: FindPlatform): Command {
  return withOptions(new Command('list').description('list the segments in force with their number of members')).action(
    async ({ namespace, json }: Options) => {
      const answer = await findPlatform(namespace).client.call('listSegments');
      if (json) return printJson(answer);
      if (answer.segments.length === 0) return printLine('no segments are in force');
      const rows = answer.segments.map(({ name, members, definition }) => [
        name,
        members,
        definition === null ? 'no longer in force' : definition.description,
      ]);
      return printLine(lines(toTable(rows), toLag(answer.changesNotYetCounted)));
    },
  );
}

function createShowCommand(findPlatform: FindPlatform): Command {
  return withOptions(
    new Command('show').description(
      'show what a segment or tag is and how many are in it, or a grid or a set of clusters or cohorts with all of theirs',
    ),
  )
    .argument('<segment>', 'its name')
    .addHelpText('after', '\nExamples:\n  ./perennial segments show big_spenders\n  ./perennial segments show rfm')
    .action(async (name: string, { namespace, json }: Options) => {
      const { client } = findPlatform(namespace);
      const set = await findSet(client, name);
      if (set !== undefined) return json ? printJson(set) : printLine(describeSet(set));
      const segment = await findSegment({ client }, name);
      if (json) return printJson(segment);
      return printLine(toTable(describeSegment(segment)));
    });
}

function createSizeCommand(findPlatform: FindPlatform): Command {
  return withOptions(new Command('size').description('print the number of members of a segment'))
    .argument('<segment>', 'its name')
    .action(async (name: string, { namespace, json }: Options) => {
      const { members } = await findSegment(findPlatform(namespace), name);
      if (json) printJson({ segment: name, members });
      else printLine(line`${members}`);
    });
}

function createMembersCommand(findPlatform: FindPlatform): Command {
  return withOptions(new Command('members').description('list members of a segment, in the order of their pseudonyms'))
    .argument('<segment>', 'its name')
    .addOption(createLimitOption())
    .addHelpText('after', '\nExample:\n  ./perennial segments members abandoned_basket --limit 5')
    .action(async (name: string, { namespace, json, limit }: Options & { limit: number }) => {
      const { client } = findPlatform(namespace);
      await findSegment({ client }, name);
      const members = [];
      for await (const page of readMembers(client, { segment: name, limit })) members.push(...page);
      if (json) return printJson({ segment: name, members });
      if (members.length === 0) return printLine('nobody');
      return printLine(
        toTable(
          members.map(({ userId, profileKey, since, tags }) => [userId ?? '-', profileKey, since, tags.join(' ')]),
        ),
      );
    });
}

function createExportCommand(findPlatform: FindPlatform): Command {
  return new Command('export')
    .description('write all members of a segment into a file, as CSV or as JSON lines')
    .argument('<segment>', 'its name')
    .requiredOption('--out <file>', 'the file; an existing one is not overwritten')
    .addOption(createNamespaceOption())
    .option('--json', 'one JSON object a line instead of CSV')
    .addHelpText(
      'after',
      '\nIn CSV an id that a spreadsheet would take for a formula begins with an apostrophe; JSON has it as it is.\nExample:\n  ./perennial segments export big_spenders --out big-spenders.csv',
    )
    .action(async (name: string, { namespace, json, out }: Options & { out: string }) => {
      const { client } = findPlatform(namespace);
      await findSegment({ client }, name);
      const count = await writeMembers(client, { segment: name, file: out, isJson: json === true });
      printLine(line`${count} members of ${name} written to ${out}`);
    });
}

function createCheckCommand(): Command {
  return new Command('check')
    .description('read a file of segments as the platform would, and list all problems at once; starts nothing')
    .argument('<file>', 'the file')
    .option('--features <file>', 'feature spec that its conditions may read', DEFAULT_SPEC)
    .option('--json', 'print {name, segments: [name]}')
    .addHelpText('after', '\nExample:\n  ./perennial segments check segments.yaml')
    .action((file: string, { features, json }: { features: string; json?: boolean }) => {
      const spec = readSpec(features);
      const known = { ...toConditionNames(spec), tenureNames: listTenures(spec) };
      const parsed = requireValid(parseSegments(readText(file), { fileName: file, ...known }));
      const names = [...parsed.segments.keys()];
      if (json) printJson({ name: parsed.name, segments: names });
      else printLine(line`${file} is valid: ${names.length} segments`);
    });
}

function createLimitOption(): Option {
  return new Option('--limit <n>', 'how many, at most')
    .argParser((text) => parseWhole(text, { min: 1, max: LISTED_MAX }))
    .default(20);
}

function withOptions(command: Command): Command {
  return command.addOption(createNamespaceOption()).option('--json', 'print JSON');
}

type Segment = Awaited<ReturnType<typeof findSegment>>;

type SegmentSet = NonNullable<Awaited<ReturnType<typeof findSet>>>;

const SET_KINDS = ['class', 'cluster', 'cohort'];

/** The grid, clusters or cohorts of a name, of which a profile is in one; undefined where there is none. */
async function findSet(client: Platform['client'], name: string) {
  const { segments, thresholds, population } = await client.call('listSegments');
  const own = segments.filter(({ name: of, definition }) => {
    return definition !== null && SET_KINDS.includes(definition.kind) && of.startsWith(`${name}_`);
  });
  const classes = own.map(({ name: of, members, definition }) => {
    return { name: of, members, description: definition?.description ?? '' };
  });
  const [first] = own;
  const found = thresholds[name];
  if (first?.definition == null || typeof found === 'number') return undefined;
  const { kind } = first.definition;
  return { grid: name, kind, population, thresholds: found ?? null, classes };
}

function describeSet({ grid, kind, thresholds, population, classes }: SegmentSet): Printable {
  const total = classes.reduce((sum, { members }) => sum + members, 0);
  const toShare = (members: number) => (total === 0 ? '-' : `${((members / total) * 100).toFixed(1)} %`);
  const table = toTable(
    classes.map(({ name, members, description }) => [name, members, toShare(members), description]),
  );
  if (kind !== 'class') return table;
  if (thresholds === null)
    return lines(table, line`the thresholds of ${grid} are not known yet: its population has to be measured first`);
  return lines(
    table,
    line`thresholds ${population === null ? 'given in the file' : `of population ${population}`}`,
    toTable(Object.entries(thresholds).map(([axis, values]) => [axis, values.map(toRounded).join(', ')])),
  );
}

function toRounded(value: number): string {
  return String(Math.round(value * 100) / 100);
}

/** Throws `not_found` for a segment that is not in force and has no members. */
async function findSegment({ client }: Pick<Platform, 'client'>, name: string) {
  const { segments } = await client.call('listSegments');
  const found = segments.find((segment) => segment.name === name);
  if (found !== undefined) return found;
  const known = segments.map((segment) => segment.name).join(', ') || 'none';
  throw new AppError('not_found', `there is no segment ${name}; in force: ${known}`);
}

function describeSegment({ name, members, definition }: Segment): Array<[string, string | number]> {
  const rows: Array<[string, string | number | null]> = [
    ['segment', name],
    ['members', members],
  ];
  if (definition === null) rows.push(['rule', 'no longer in force: members leave at their next step']);
  else {
    const { sequence } = definition;
    rows.push(
      ['kind', definition.kind],
      ['owner', definition.owner || null],
      ['description', definition.description || null],
      ['enters when', definition.when],
      ['did', sequence && toPatternText(sequence.did)],
      ['but not', sequence && `${toPatternText(sequence.butNot)} within ${toDurationText(sequence.withinMs)}`],
      ['leaves when', definition.leave],
      ['stays at least', definition.minStayMs === 0 ? null : toDurationText(definition.minStayMs)],
      ['stays at most', definition.maxStayMs === null ? null : toDurationText(definition.maxStayMs)],
    );
  }
  return rows.filter((row): row is [string, string | number] => row[1] !== null);
}

function toPatternText({ type, name }: { readonly type: string; readonly name: string | null }): string {
  return name === null ? `any ${type}` : `${type} "${name}"`;
}

function toDurationText(durationMs: number): string {
  return durationMs % 86_400_000 === 0 ? `${durationMs / 86_400_000} d` : `${durationMs / 3_600_000} h`;
}

function toLag(behind: number | null): Printable | string {
  return behind === null || behind === 0 ? '' : `${behind} changes are not counted yet`;
}

/** Writes page by page. A file that could not be finished is removed. */
async function writeMembers(
  client: Platform['client'],
  { segment, file, isJson }: { readonly segment: string; readonly file: string; readonly isJson: boolean },
): Promise<number> {
  const descriptor = create(file);
  let count = 0;
  try {
    for await (const members of readMembers(client, { segment })) {
      writeSync(descriptor, isJson ? toJsonLines(members) : toCsv(members, { header: count === 0 }));
      count += members.length;
    }
  } catch (error) {
    rmSync(file, { force: true });
    throw error;
  } finally {
    closeSync(descriptor);
  }
  return count;
}

/** Throws `config_invalid` when the file is there already or cannot be made. */
function create(file: string): number {
  try {
    return openSync(file, 'wx', 0o600);
  } catch (error) {
    throw new AppError('config_invalid', `cannot create ${file}: ${toMessage(error)}`, { cause: error });
  }
}
