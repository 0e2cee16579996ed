import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import { AppError } from '@perennial/kernel';
import { readGivenFile } from '@perennial/service-host';
import { requireTrackingPlan } from '@perennial/tracking-plan';
import type { ListedPlan, PlanRepository } from './adapters/plan-repository.js';
import type { SourceRepository } from './adapters/source-repository.js';
import { KAFKA_SOURCE_ID } from './kafka/kafka-source.js';

/** Versions of one source: each stays for good. */
const VERSIONS_MAX = 1_000;

interface PlanCommandDeps {
  readonly sources: Pick<SourceRepository, 'find'>;
  readonly plans: PlanRepository;
  readonly print: (text: string) => void;
}

const USAGE = 'usage: sources plan set SOURCE FILE | show SOURCE [--number N] | history SOURCE | clear SOURCE';

/** `sources plan set|show|history|clear SOURCE`: which events a source may send; `kafka` is what comes over Kafka. */
export async function runPlanCommand(
  args: readonly string[],
  { sources, plans, print }: PlanCommandDeps,
): Promise<void> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { json: { type: 'boolean', default: false }, number: { type: 'string' } },
  });
  const [action = '', nameOrId, path, ...more] = positionals;
  if (nameOrId === undefined || more.length > 0 || (path !== undefined) !== (action === 'set')) throw usage(USAGE);
  const source = nameOrId === KAFKA_SOURCE_ID ? { id: nameOrId, name: nameOrId } : await sources.find(nameOrId);
  const tell = (plan: ListedPlan, text: string) => print(values.json ? JSON.stringify(plan) : text);
  switch (action) {
    case 'set': {
      const plan = await setPlan(plans, source.id, path ?? '');
      return tell(plan, `plan ${plan.number} of ${source.name} is in force within ten seconds`);
    }
    case 'clear': {
      const [current] = await plans.history(source.id);
      if (current === undefined || current.hash === null) throw notFound(source.name);
      const plan = await plans.add(source.id, { content: null, fileName: '' });
      return tell(plan, `${source.name} has no plan within ten seconds`);
    }
    case 'show': {
      const number = values.number === undefined ? undefined : parseNumber(values.number);
      return show(plans, source, { number, json: values.json, print });
    }
    case 'history': {
      const versions = await plans.history(source.id);
      if (values.json) return print(JSON.stringify({ plans: versions }));
      if (versions.length === 0) throw notFound(source.name);
      for (const version of versions) print(toLine(version));
      return;
    }
    default:
      throw usage(USAGE);
  }
}

/** Nothing changes where the file has a problem: all of them are in the error, each with its line. */
async function setPlan(plans: PlanRepository, sourceId: string, path: string): Promise<ListedPlan> {
  const fileName = basename(path);
  const content = (await readGivenFile(path)).toString('utf8');
  requireTrackingPlan(content, { fileName });
  const [current] = await plans.history(sourceId);
  if ((current?.number ?? 0) >= VERSIONS_MAX) {
    throw new AppError('limit_exceeded', `a source has ${VERSIONS_MAX} plans at most, one after another`);
  }
  return plans.add(sourceId, { content, fileName });
}

async function show(
  plans: PlanRepository,
  { id, name }: { readonly id: string; readonly name: string },
  { number, json, print }: { number: number | undefined; json: boolean; print: (text: string) => void },
): Promise<void> {
  const versions = await plans.history(id);
  const version = number === undefined ? versions[0] : versions.find((listed) => listed.number === number);
  const content = version === undefined ? undefined : await plans.load(id, version.number);
  if (version === undefined || content === undefined) throw notFound(name, number);
  print(json ? JSON.stringify({ ...version, content }) : content.trimEnd());
}

function toLine({ number, hash, fileName, setAt }: ListedPlan): string {
  return [number, setAt, hash === null ? 'none' : hash.slice(0, 12), JSON.stringify(fileName)].join('  ');
}

function parseNumber(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw usage('--number must be the number of a version, as `history` shows it');
}

function notFound(name: string, number?: number): AppError {
  return new AppError('not_found', `${name} has no plan${number === undefined ? '' : ` ${number}`}`);
}

function usage(message: string): AppError {
  return new AppError('config_invalid', message);
}
