import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { openAsBlob } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sha256 } from '#lib/core/digest.ts';
import { blobOf } from '#tests/contract/store.ts';
import { createSha256 } from './sha256.ts';

describe('Sha256', () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sampan-'));
  });

  afterEach(() => rm(folder, { recursive: true }));

  it.each([0, 1, 1024 * 1024, 2 * 1024 * 1024 + 5])('hashes a blob of %i bytes', async (sizeBytes) => {
    const { digest, bytes } = await blobOf(sizeBytes);
    const hasher = await createSha256();
    await hasher.append(new Blob([bytes]));
    expect(hasher.digest()).toBe(digest);
  });

  it('hashes several blobs as one', async () => {
    const { digest, bytes } = await blobOf(5000);
    const whole = new Blob([bytes]);
    const hasher = await createSha256();
    await hasher.append(whole.slice(0, 1234));
    await hasher.append(whole.slice(1234));
    expect(hasher.digest()).toBe(digest);
  });

  it('says so when the file is another than when it was opened', async () => {
    const path = join(folder, 'chosen');
    await writeFile(path, new Uint8Array(5000));
    const file = await openAsBlob(path);
    await writeFile(path, new Uint8Array(4000));
    const hasher = await createSha256();
    await expect(hasher.append(file)).rejects.toMatchObject({ name: 'ApiError', code: 'invalid_request' });
  });

  it('says so when the stream ends before the size', async () => {
    const lying = new Blob([new Uint8Array(10)]);
    Object.defineProperty(lying, 'size', { value: 20 });
    const hasher = await createSha256();
    await expect(hasher.append(lying)).rejects.toMatchObject({ code: 'invalid_request' });
    expect(await sha256(new Uint8Array(0))).toBe((await createSha256()).digest());
  });
});
