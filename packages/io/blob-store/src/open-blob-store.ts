import type { StreamingBlobStore } from './blob-store.js';
import { createFolderBlobStore } from './folder-blob-store.js';
import type { S3Location } from './s3-blob-store.js';

/** A configured store. */
export type BlobLocation =
  | { readonly kind: 'folder'; readonly folder: string }
  | ({ readonly kind: 's3' } & S3Location);

/**
 * The store at a location. The S3 client is loaded only when it is needed: loading takes most of a second and 18 MB.
 */
export async function openBlobStore(location: BlobLocation): Promise<StreamingBlobStore> {
  switch (location.kind) {
    case 'folder':
      return createFolderBlobStore(location.folder);
    case 's3':
      return (await import('./s3-blob-store.js')).createS3BlobStore(location);
  }
}
