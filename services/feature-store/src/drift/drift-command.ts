import { openBlobStore } from '@perennial/blob-store';
import { parseDistributions } from '@perennial/feature-engine';
import { AppError, toMessage } from '@perennial/kernel';
import { withContext } from '@perennial/processor-host';
import { type Command, readGivenFile } from '@perennial/service-host';
import { createAuditRecords } from '../adapters/audit-records.js';
import { createBaselineStore } from '../adapters/baseline-store.js';
import type { FeatureStoreConfig } from '../config.js';
import { PROCESSOR_NAME } from '../processor.js';

/** `drift status`, and `drift baseline FILE` with the manifest of an export; each prints one line of JSON. */
export function createDriftCommand(print: (line: string) => void): Command<FeatureStoreConfig> {
  return async (config, [action, path, ...rest], logger) => {
    const isGiven = action === 'baseline' ? path !== undefined : action === 'status' && path === undefined;
    if (!isGiven || rest.length > 0) throw new AppError('config_invalid', 'usage: drift status | drift baseline FILE');
    if (config.archive.kind === 'off')
      throw new AppError(
        'config_invalid',
        'PERENNIAL_ARCHIVE is off: the audit, which sees the profiles, does not run',
      );
    const store = createBaselineStore(await openBlobStore(config.archive), config.namespace);
    if (path !== undefined) {
      const baseline = parseDistributions(readManifest(await readGivenFile(path), path).distributions, path);
      await store.save(baseline);
      return print(JSON.stringify({ features: Object.keys(baseline).length }));
    }
    const hasBaseline = (await store.load()) !== undefined;
    const status = await withContext(PROCESSOR_NAME, config, {
      logger,
      work: ({ namespace, redis }) => createAuditRecords(redis, namespace).readDrift(),
    });
    return print(JSON.stringify({ hasBaseline, ...status }));
  };
}

function readManifest(bytes: Buffer, path: string): { readonly distributions?: unknown } {
  try {
    const manifest: unknown = JSON.parse(bytes.toString());
    return typeof manifest === 'object' && manifest !== null ? manifest : {};
  } catch (error) {
    throw new AppError('config_invalid', `${path}: ${toMessage(error)}`);
  }
}
