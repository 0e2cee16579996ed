import { AppError } from '@perennial/kernel';
import type { KafkaConnection } from './kafkajs-client.js';
import { withAdmin } from './topic-admin.js';

/** A consumer group, and where it continues in one partition. */
export interface GroupOffset {
  readonly groupId: string;
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

/** The members of a group, by client id and host; empty for a group that does not exist. */
export function readGroupMembers(connection: KafkaConnection, groupId: string): Promise<string[]> {
  return withAdmin(connection, `members of group ${groupId}`, async (admin) => {
    const { groups } = await admin.describeGroups([groupId]);
    return groups.flatMap(({ members }) => members.map(({ clientId, clientHost }) => `${clientId} (${clientHost})`));
  });
}

/**
 * Sets where a group continues in a partition. Throws `contract_violation`, and changes nothing, while the group has a
 * member: it would overwrite the offset with its own.
 */
export async function setGroupOffset(connection: KafkaConnection, to: GroupOffset): Promise<void> {
  const { groupId, topic, partition, offset } = to;
  const members = await readGroupMembers(connection, groupId);
  if (members.length > 0)
    throw new AppError('contract_violation', `group ${groupId} has members: ${members.join(', ')}`);
  await withAdmin(connection, `setting the offset of group ${groupId}`, async (admin) => {
    await admin.setOffsets({ groupId, topic, partitions: [{ partition, offset: String(offset) }] });
    const topics = await admin.fetchOffsets({ groupId, topics: [topic] });
    const found = topics.flatMap(({ partitions }) => partitions).find((one) => one.partition === partition)?.offset;
    if (Number(found) !== offset)
      throw new AppError('contract_violation', `group ${groupId} is at offset ${found} now, not at ${offset}`);
  });
}
