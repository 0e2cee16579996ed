import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openBlobStore, type StreamingBlobStore } from '@perennial/blob-store';
import { describeBlobStore } from '@perennial/blob-store/contract-suite';
import { fetchS3Server, type S3Server, startS3Server } from '../support/s3-server.js';

/* The blob store on a server with the S3 API. Without one these tests are skipped, with the reason. */

const fetched = fetchS3Server();
const title = 'problem' in fetched ? `S3, not tested: ${fetched.problem}` : 'S3';

('problem' in fetched ? describe.skip : describe)(title, () => {
  let server: S3Server;
  let opened = 0;

  beforeAll(async () => {
    server = await startS3Server('jars' in fetched ? fetched.jars : '');
  }, 90_000);

  afterAll(async () => {
    await server?.stop();
  });

  function open(
    changes: { bucket?: string; secretAccessKey?: string; endpoint?: string } = {},
  ): Promise<StreamingBlobStore> {
    const { bucket = server.bucket, endpoint = server.endpoint } = changes;
    const secretAccessKey = changes.secretAccessKey ?? server.credentials.secretAccessKey;
    const credentials = { ...server.credentials, secretAccessKey };
    const prefix = `prefix/${opened++}/`;
    return openBlobStore({ kind: 's3', bucket, prefix, region: 'us-east-1', endpoint, pathStyle: true, credentials });
  }

  describeBlobStore('S3', () => open());

  it.each([
    ['a wrong secret', { secretAccessKey: 'wrong' }, /SignatureDoesNotMatch/],
    ['a bucket that is not there', { bucket: 'other-bucket' }, /NoSuchBucket/],
    ['a server that is away', { endpoint: 'http://127.0.0.1:1' }, /ECONNREFUSED/],
  ])('says what is wrong with %s, and never that the object is absent', async (_what, changes, message) => {
    const store = await open(changes);
    const failure = { code: 'dependency_unavailable', retriable: true, message: expect.stringMatching(message) };
    await expect(store.get('a')).rejects.toMatchObject(failure);
    await expect(store.put('a', Buffer.from('x'))).rejects.toMatchObject(failure);
    await expect(store.list('')).rejects.toMatchObject(failure);
  });
});
