import type { Artifact } from '@perennial/artifacts';
import {
  ARTIFACT_KINDS,
  type ArtifactKind,
  PROCESSOR_NAMES,
  PROCESSORS,
  type Rollout,
  toTopic,
} from '@perennial/contracts';
import { readTopic } from '@perennial/kafka';
import { createRandomToken } from '@perennial/kernel';
import { toPartitionKeys } from '@perennial/keyed-processor';
import type { World } from './world.js';

/** The artifact of a kind in force on each partition of the service; undefined where Redis has no data. */
export async function readInForce(
  { redis, namespace, partitions }: Pick<World, 'redis' | 'namespace' | 'partitions'>,
  kind: ArtifactKind,
): Promise<Array<Rollout | undefined>> {
  const found: Array<Rollout | undefined> = [];
  for (let partition = 0; partition < partitions; partition++) {
    const { meta } = toPartitionKeys(namespace, ARTIFACT_KINDS[kind].owner, partition);
    const inForce = JSON.parse((await redis.hget(meta, 'inForce')) ?? '[]') as Rollout[];
    found.push(inForce.find((rollout) => rollout.kind === kind));
  }
  return found;
}

/** The partitions on which a rollout of this artifact was dead-lettered. */
export async function readRejections({ log, namespace }: World, { hash }: Artifact): Promise<ReadonlySet<number>> {
  const rejected = new Set<number>();
  await readTopic(log, {
    topic: toTopic(namespace, 'deadLettered'),
    groupId: `perennial.chaos.${createRandomToken()}`,
    onRecord: ({ partition, value }) => void (value?.includes(hash) && rejected.add(partition)),
  });
  return rejected;
}

const STANDSTILL = /partition (\d+) (?:of (\S+) stands still|is not being processed)/g;

/** The partitions that the instances of a service report as not being processed. */
export async function readStandstills({ fleet, namespace }: World, kind: ArtifactKind): Promise<ReadonlySet<number>> {
  const answers = await Promise.all(fleet.of(ARTIFACT_KINDS[kind].owner).map(({ url }) => fleet.readReadiness(url)));
  const named = answers.flatMap((answer) => [...answer.matchAll(STANDSTILL)]);
  const processed = new Set(PROCESSOR_NAMES.map((name) => toTopic(namespace, PROCESSORS[name].input)));
  const standing = named.filter(([, , topic]) => topic === undefined || processed.has(topic));
  return new Set(standing.map(([, partition]) => Number(partition)));
}
