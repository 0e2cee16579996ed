import { describeLogContract } from './log-contract.js';
import { createMemoryLog } from './memory-log.js';

describeLogContract('in memory', async () => {
  const log = createMemoryLog({ partitions: 1 });
  return {
    log,
    createTopic: async (topic, partitions) => log.createTopic(topic, partitions),
    close: () => log.close(),
  };
});
