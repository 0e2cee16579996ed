import { SCOPES, TOKEN_VARIABLE } from '@perennial/access';
import {
  ARTIFACT_KIND_NAMES,
  ARTIFACT_KINDS,
  type ArtifactKind,
  SERVICE_NAMES,
  SERVICES,
  type ServiceName,
  TOPICS,
  type TopicDeclaration,
  type TopicName,
  toTopic,
} from '@perennial/contracts';
import { createTopics, type TopicSpec } from '@perennial/kafka';
import { AppError, must } from '@perennial/kernel';
import type { Layout } from '@perennial/native-stack';
import { toArtifactPath } from './fingerprint.js';
import { toKafkaConnection } from './kafka-connection.js';
import type { NamespaceState, RegisteredArtifact } from './namespace-state.js';
import { runServiceCommand, runServiceCommands } from './service-process.js';

export interface ProvisionInput {
  readonly layout: Layout;
  readonly state: NamespaceState;
  readonly kafkaBrokers: string;
  readonly environmentOf: (service: ServiceName) => Readonly<Record<string, string>>;
  readonly onProgress: (message: string) => void;
  /** Called when artifacts have been rolled out, with all that is in force by then. */
  readonly onRolledOut?: (inForce: readonly RegisteredArtifact[]) => void;
}

/** Creates topics and tables, registers the artifacts and rolls them out; idempotent. Returns what is in force. */
export async function provision(input: ProvisionInput): Promise<RegisteredArtifact[]> {
  const { layout, state, environmentOf, onProgress } = input;
  onProgress(`creating topics of namespace ${state.namespace}`);
  await createNamespaceTopics(state, input.kafkaBrokers);
  onProgress('migrating tables');
  await Promise.all(
    SERVICE_NAMES.filter((name) => SERVICES[name].hasTables).map((service) =>
      service === TOKEN_KEEPER
        ? importToken(input, [['migrate']])
        : runServiceCommand(layout.root, service, ['migrate'], environmentOf(service)),
    ),
  );
  onProgress(`registering ${ARTIFACT_KIND_NAMES.join(', ')}`);
  // Sequential: charts and policies are checked against the features and heads that are registered.
  const registered: RegisteredArtifact[] = [];
  for (const kinds of groupByOwner(ARTIFACT_KIND_NAMES)) registered.push(...(await registerAll(input, kinds)));
  await rollOutAll(input, registered);
  return registered;
}

/** Name of the installation's own token. */
const TOKEN_NAME = 'local';
/** The service whose tables hold the tokens of all. */
const TOKEN_KEEPER: ServiceName = 'ingest';

/** Imports the installation's own token into the services' directory, which keeps a hash of it; `first` are run before that. */
export async function importToken(
  { layout, state, environmentOf }: Pick<ProvisionInput, 'layout' | 'state' | 'environmentOf'>,
  first: ReadonlyArray<readonly string[]> = [],
): Promise<void> {
  const args = ['tokens', 'import', '--name', TOKEN_NAME, '--scopes', SCOPES.join(',')];
  const environment = { ...environmentOf(TOKEN_KEEPER), [TOKEN_VARIABLE]: state.token };
  await runServiceCommands(layout.root, TOKEN_KEEPER, [...first, args], environment);
}

/** Creates the namespace's topics that are missing. */
export async function createNamespaceTopics(
  state: Pick<NamespaceState, 'namespace' | 'partitions'>,
  kafkaBrokers: string,
): Promise<void> {
  await createTopics(toKafkaConnection(kafkaBrokers, 'perennial-provision'), listTopicSpecs(state));
}

/** Every declared topic under the namespace's prefix, all with its partition count. */
export function listTopicSpecs({
  namespace,
  partitions,
}: Pick<NamespaceState, 'namespace' | 'partitions'>): TopicSpec[] {
  return (Object.keys(TOPICS) as TopicName[]).map((topic) => {
    const { retentionMs, cleanup, minCompactionLagMs }: TopicDeclaration = TOPICS[topic];
    const config = minCompactionLagMs === undefined ? {} : { 'min.compaction.lag.ms': String(minCompactionLagMs) };
    return { name: toTopic(namespace, topic), partitions, retentionMs, cleanup, config };
  });
}

/** Kinds one after another that the same service registers. */
function groupByOwner(kinds: readonly ArtifactKind[]): ArtifactKind[][] {
  const groups: ArtifactKind[][] = [];
  for (const kind of kinds) {
    const group = groups.at(-1);
    if (group?.[0] !== undefined && ARTIFACT_KINDS[group[0]].owner === ARTIFACT_KINDS[kind].owner) group.push(kind);
    else groups.push([kind]);
  }
  return groups;
}

async function registerAll(
  { layout, state, environmentOf }: ProvisionInput,
  kinds: readonly ArtifactKind[],
): Promise<RegisteredArtifact[]> {
  const { owner } = ARTIFACT_KINDS[must(kinds[0], 'a kind')];
  const calls = kinds.map((kind) => ['register', kind, toArtifactPath(layout.root, kind, state.artifactPaths)]);
  const output = await runServiceCommands(layout.root, owner, calls, environmentOf(owner));
  return kinds.map((kind) => parseRegistered(kind, output));
}

/**
 * Nothing is written for an artifact in force: a second rollout would be one more control record on every partition, as
 * after a call that was interrupted.
 */
async function rollOutAll(
  { layout, state, environmentOf, onProgress, onRolledOut }: ProvisionInput,
  registered: readonly RegisteredArtifact[],
): Promise<void> {
  const before = state.provisioned?.inForce ?? [];
  const isInForce = ({ kind, number, hash }: RegisteredArtifact) =>
    before.some((known) => known.kind === kind && known.hash === hash && known.number === number);
  const changed = registered.filter((artifact) => !isInForce(artifact));
  if (changed.length === 0) return;
  onProgress(`putting ${changed.map(({ kind, number }) => `${kind} ${number}`).join(', ')} in force`);
  const calls = changed.flatMap(({ kind, number, hash }) => {
    const rollOut = (of: string) => ['rollout', '--kind', of, '--number', String(number), '--hash', hash];
    if (kind !== 'features' || !isToBeFilled(before, environmentOf('feature-store'))) return [rollOut(kind)];
    onProgress(`features ${number} is filled from the archive in the background`);
    return [rollOut('feature-filling'), rollOut(kind)];
  });
  await runServiceCommands(layout.root, 'ingest', calls, environmentOf('ingest'));
  const kinds = new Set(changed.map(({ kind }) => kind));
  onRolledOut?.([...before.filter(({ kind }) => !kinds.has(kind)), ...changed]);
}

/** The first spec of a namespace has nothing to be filled with; without an archive new features begin empty. */
function isToBeFilled(
  inForce: readonly RegisteredArtifact[],
  environment: Readonly<Record<string, string | undefined>>,
): boolean {
  const archive = environment.PERENNIAL_ARCHIVE ?? process.env.PERENNIAL_ARCHIVE;
  return archive !== 'off' && inForce.some(({ kind }) => kind === 'features');
}

/** The answer of `register` of a kind: the last line that is JSON with it, a number and a hash, among those of others and log lines. */
export function parseRegistered(kind: ArtifactKind, output: string): RegisteredArtifact {
  for (const line of output.trim().split('\n').reverse()) {
    const answer = parseJson(line) as { kind?: unknown; number?: unknown; hash?: unknown } | undefined;
    if (answer?.kind === kind && typeof answer.number === 'number' && typeof answer.hash === 'string')
      return { kind, number: answer.number, hash: answer.hash };
  }
  throw new AppError(
    'contract_violation',
    `registering the ${kind} answered no {kind, number, hash}: ${output.slice(-500)}`,
  );
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line) as unknown;
  } catch {
    // A line for humans.
    return undefined;
  }
}
