import { runService } from '@perennial/service-host';
import { service } from './index.js';

await runService(service);
