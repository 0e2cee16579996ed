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
import { AppError } from '@perennial/kernel';
import type { Layout } from '@perennial/native-stack';
import { toArtifactPath } from './fingerprint.js';
import { toKafkaConnection } from './kafka-connection.js';
import type { NamespaceState, RegisteredArtifact } from './namespace-state.js';
import { runServiceCommand } from './service-process.js';

export interface ProvisionInput {
  readonly layout: Layout;
  readonly state: NamespaceState;
  readonly kafkaBrokers: string;
  readonly environmentOf: (service: ServiceName) => Readonly<Record<string, string>>;
  readonly onProgress: (message: string) => void;
  /** Called after each rollout, with all that is in force by then. */
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
      runServiceCommand(layout.root, service, ['migrate'], environmentOf(service)),
    ),
  );
  await importToken(input);
  onProgress(`registering ${ARTIFACT_KIND_NAMES.join(', ')}`);
  // Sequential: charts and policies are checked against the features and heads that are registered.
  const registered: RegisteredArtifact[] = [];
  for (const kind of ARTIFACT_KIND_NAMES) registered.push(await register(input, kind));
  await rollOutAll(input, registered);
  return registered;
}

/** Name of the installation's own token. */
const TOKEN_NAME = 'local';

/** Imports the installation's own token into the services' directory, which keeps a hash of it. */
export async function importToken({
  layout,
  state,
  environmentOf,
}: Pick<ProvisionInput, 'layout' | 'state' | 'environmentOf'>): Promise<void> {
  const args = ['tokens', 'import', '--name', TOKEN_NAME, '--scopes', SCOPES.join(',')];
  const environment = { ...environmentOf('ingest'), [TOKEN_VARIABLE]: state.token };
  await runServiceCommand(layout.root, 'ingest', args, environment);
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

async function register(
  { layout, state, environmentOf }: ProvisionInput,
  kind: ArtifactKind,
): Promise<RegisteredArtifact> {
  const { owner } = ARTIFACT_KINDS[kind];
  const path = toArtifactPath(layout.root, kind, state.artifactPaths);
  const output = await runServiceCommand(layout.root, owner, ['register', kind, path], environmentOf(owner));
  return parseRegistered(kind, output);
}

/**
 * Nothing is written for an artifact in force: a second rollout would be one more control record on every partition.
 * What an interrupted call has rolled out is recorded as it goes.
 */
async function rollOutAll(
  { layout, state, environmentOf, onProgress, onRolledOut }: ProvisionInput,
  registered: readonly RegisteredArtifact[],
): Promise<void> {
  let inForce = state.provisioned?.inForce ?? [];
  for (const artifact of registered) {
    const { kind, number, hash } = artifact;
    if (inForce.some((known) => known.kind === kind && known.hash === hash && known.number === number)) continue;
    onProgress(`putting ${kind} ${number} in force`);
    const rollOut = (of: string) => {
      const args = ['rollout', '--kind', of, '--number', String(number), '--hash', hash];
      return runServiceCommand(layout.root, 'ingest', args, environmentOf('ingest'));
    };
    if (kind === 'features' && isToBeFilled(inForce, environmentOf('feature-store'))) {
      onProgress(`features ${number} is filled from the archive in the background`);
      await rollOut('feature-filling');
    }
    await rollOut(kind);
    inForce = [...inForce.filter((known) => known.kind !== kind), artifact];
    onRolledOut?.(inForce);
  }
}

/** The first spec of a namespace has nothing to be filled with; without an archive new features begin empty. */
function isToBeFilled(
  inForce: readonly RegisteredArtifact[],
  environment: Readonly<Record<string, string | undefined>>,
): boolean {
  const archive = environment.PERENNIAL_ARCHIVE ?? process.env.PERENNIAL_ARCHIVE;
  return archive !== 'off' && inForce.some(({ kind }) => kind === 'features');
}

/** The answer of `register`: the last line that is JSON with a number and a hash; log lines may precede it. */
export function parseRegistered(kind: ArtifactKind, output: string): RegisteredArtifact {
  for (const line of output.trim().split('\n').reverse()) {
    const answer = parseJson(line) as { kind?: unknown; number?: unknown; hash?: unknown } | undefined;
    if (typeof answer?.number === 'number' && typeof answer.hash === 'string')
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
