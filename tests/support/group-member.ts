import { createKafkaLog, type Log } from '@perennial/kafka';
import { createSilentLogger } from '@perennial/telemetry';

export interface GroupMemberOptions {
  readonly brokers: string[];
  readonly groupId: string;
  readonly topic: string;
  readonly groupInstanceId: string;
}

/** Joins a group under a name and reports its events: `assigned 0,2`, `revoked 0,2`, or the message of an error. */
export async function joinGroup(options: GroupMemberOptions, tell: (line: string) => void): Promise<Log> {
  const { brokers, groupId, topic, groupInstanceId } = options;
  const log = createKafkaLog({ brokers, clientId: 'member', groupInstanceId, logger: createSilentLogger() });
  await log.startConsumer(
    {
      groupId,
      topic,
      // Long, so that a test which kills a member has the time to start it again.
      sessionTimeoutMs: 20_000,
      fetchBytesPerPartitionMax: 65_536,
      fetchWaitMaxMs: 100,
      fromBeginning: true,
    },
    {
      onAssigned: (partitions) => tell(`assigned ${partitions}`),
      onRevoked: (partitions) => tell(`revoked ${partitions}`),
      onRecords: async () => undefined,
      onError: (error) => tell(error.message),
    },
  );
  return log;
}
