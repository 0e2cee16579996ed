import { runService } from '@perennial/service-host';
import { createApp } from './app.js';
import { loadConfig } from './config.js';

await runService({ name: 'feature-store', loadConfig, createApp });
