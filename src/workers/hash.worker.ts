/** Composition root of the hash worker: hashes one large blob while the blob worker writes it. */
import { expose, proxy } from 'comlink';
import { installErrorTransfer } from '#lib/core/error-transfer.ts';
import { createSha256 } from '#lib/store/opfs/sha256.ts';
import type { OpenHasher } from '#lib/store/opfs/worker-api.ts';

installErrorTransfer();

const open: OpenHasher = async (hashState) => proxy(await createSha256(hashState));

expose(open);
