import { createArtifactRegistry, createArtifactStore } from '@perennial/artifacts';
import { openBlobStore } from '@perennial/blob-store';
import { ARTIFACT_KIND_NAMES, ARTIFACT_KINDS, type ArtifactKind } from '@perennial/contracts';
import { AppError } from '@perennial/kernel';
import type { Platform } from '@perennial/launcher';
import { withPool } from '@perennial/postgres';
import { Command, Option } from 'commander';
import { createNamespaceOption } from '../options.js';
import { type Printable, printFile, printJson, printLine, toShortHash, toTable } from '../output.js';
import { requirePlatform } from './sources.js';

interface ArtifactsOptions {
  readonly namespace: string;
  readonly kind?: ArtifactKind;
  readonly json?: boolean;
}

export function createArtifactsCommand(): Command {
  return new Command('artifacts').addCommand(createListCommand()).addCommand(createShowCommand());
}

function createListCommand(): Command {
  return new Command('list')
    .description('list what is registered: numbers, hashes and sizes; what is in force is in `status`')
    .addOption(createKindOption())
    .addOption(createNamespaceOption())
    .option('--json', 'print them as JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  ./perennial artifacts list\n  ./perennial artifacts list --kind policy --json',
    )
    .action(async ({ kind, namespace, json }: ArtifactsOptions) => {
      const artifacts = await listArtifacts(requirePlatform(namespace), kind);
      if (json) return printJson({ artifacts });
      if (artifacts.length === 0) return printLine('nothing is registered');
      return printLine(formatArtifacts(artifacts));
    });
}

function createShowCommand(): Command {
  return new Command('show')
    .description('print the bytes of one artifact, after comparing them with their hash')
    .argument('<number-or-hash>', 'its number (with --kind), or the beginning of its hash')
    .addOption(createKindOption())
    .addOption(createNamespaceOption())
    .option('--json', 'print {kind, number, hash, name, bytes, createdAt, contentType, text}')
    .addHelpText(
      'after',
      '\nExamples:\n  ./perennial artifacts show 3 --kind policy\n  ./perennial artifacts show 5ec1a7 > policy.yaml',
    )
    .action(async (which: string, { kind, namespace, json }: ArtifactsOptions) => {
      const platform = requirePlatform(namespace);
      const found = pick(await listArtifacts(platform, kind), which);
      const bytes = await (await openStore(platform)).load(found.kind, found.hash);
      const { contentType } = ARTIFACT_KINDS[found.kind];
      if (json) printJson({ ...found, contentType, text: bytes.toString('utf8') });
      else printFile(bytes);
    });
}

interface ArtifactRow {
  readonly kind: ArtifactKind;
  readonly number: number;
  readonly hash: string;
  readonly bytes: number;
  readonly createdAt: Date;
  readonly name: string;
}

/** One line an artifact; the name is that of the file it came from. */
export function formatArtifacts(artifacts: readonly ArtifactRow[]): Printable {
  return toTable(
    artifacts.map(({ kind, number, hash, bytes, createdAt, name }) => [
      kind,
      number,
      toShortHash(hash),
      `${bytes} bytes`,
      createdAt.toISOString(),
      name,
    ]),
  );
}

function createKindOption(): Option {
  return new Option('--kind <kind>', 'of one kind alone').choices(ARTIFACT_KIND_NAMES);
}

type Registered = Awaited<ReturnType<typeof listArtifacts>>[number];

async function listArtifacts(platform: Platform, kind: ArtifactKind | undefined) {
  const { endpoints, namespace } = platform;
  const store = await openStore(platform);
  const connection = { url: endpoints.postgresUrl, applicationName: 'perennial-cli', connectionsMax: 1 };
  return withPool(connection, (pool) => createArtifactRegistry({ pool, store, namespace }).list(kind));
}

async function openStore({ layout, namespace }: Platform) {
  const blobs = await openBlobStore({ kind: 'folder', folder: layout.artifactsDir });
  return createArtifactStore(blobs, { namespace });
}

/** Throws `not_found` when none matches, and `config_invalid` when several do. */
function pick(artifacts: readonly Registered[], which: string): Registered {
  const found = artifacts.filter(({ number, hash }) => String(number) === which || hash.startsWith(which));
  const [only, another] = found;
  if (only === undefined) throw new AppError('not_found', `no artifact has the number or hash ${which}`);
  if (another !== undefined) {
    const meant = found.map(({ kind, number }) => `${kind} ${number}`).join(', ');
    throw new AppError('config_invalid', `${which} may be ${meant}: give --kind, or more of the hash`);
  }
  return only;
}
