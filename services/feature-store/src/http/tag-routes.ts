import { EXTERNAL_ID_CHARS_MAX, parseUserId } from '@perennial/privacy';
import { addOperation, type FastifyInstance } from '@perennial/service-host';
import type { TagService } from '../tags/tag-service.js';
import { addTag, getTags, importTags, removeTag, TAG_CHANGES_MAX } from './operations.js';

/** A thousand changes with ids of 256 characters and owners of 100, each of up to 6 bytes (an escape) in JSON, and their names. */
const BODY_BYTES_MAX = TAG_CHANGES_MAX * ((EXTERNAL_ID_CHARS_MAX + 100) * 6 + 128) + 1_024;

export function addTagRoutes(server: FastifyInstance, tags: TagService): void {
  addOperation(server, getTags, ({ path }) => tags.read(parseUserId(path.userId)));
  addOperation(server, addTag, ({ path: { userId }, body: { tag, owner = '' } }) =>
    tags.change({ field: '', userId, tag, given: true, owner }),
  );
  addOperation(server, removeTag, ({ path: { userId, tag }, query: { owner = '' } }) =>
    tags.change({ field: '', userId, tag, given: false, owner }),
  );
  addOperation(
    server,
    importTags,
    ({ body }) =>
      tags.importAll(
        body.changes.map(({ given = true, owner = '', ...change }, index) => {
          return { ...change, field: `changes/${index}`, given, owner };
        }),
      ),
    { bodyLimitBytes: BODY_BYTES_MAX },
  );
}
