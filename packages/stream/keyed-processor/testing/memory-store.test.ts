import { describePartitionStore } from './contract-suite.js';
import { MemoryPartitionStore } from './memory-store.js';

describePartitionStore('memory', async () => new MemoryPartitionStore());
