import { MemoryPartitionStore } from './memory-store.js';
import { describePartitionStore } from './contract-suite.js';

describePartitionStore('memory', async () => new MemoryPartitionStore());
