import { MemoryPartitionStore } from './memory-store.js';
import { describePartitionStore } from './store-contract.js';

describePartitionStore('memory', async () => new MemoryPartitionStore());
