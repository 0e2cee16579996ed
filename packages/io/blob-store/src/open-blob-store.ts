import type { StreamingBlobStore } from './blob-store.js';
import { createFolderBlobStore } from './folder-blob-store.js';
import type { S3Location } from './s3-blob-store.js';

/** Where objects are kept, as configuration says it. */
export type BlobLocation =
  | { readonly kind: 'folder'; readonly folder: string }
  | ({ readonly kind: 's3' } & S3Location);

/** The store at a location. The S3 client is loaded only where it is asked for: it is most of a second and of 18 MB. */
export async function openBlobStore(location: BlobLocation): Promise<StreamingBlobStore> {
  switch (location.kind) {
    case 'folder':
      return createFolderBlobStore(location.folder);
    case 's3':
      return (await import('./s3-blob-store.js')).createS3BlobStore(location);
  }
}
