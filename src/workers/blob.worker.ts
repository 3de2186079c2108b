/** Composition root of the blob worker: writes one unfinished blob with a sync access handle. */
import { expose } from 'comlink';
import { installErrorTransfer } from '#lib/core/error-transfer.ts';
import { openBlobFile } from '#lib/store/opfs/open-blob-file.ts';
import type { OpenBlobFile } from '#lib/store/opfs/worker-api.ts';

installErrorTransfer();

const open: OpenBlobFile = (request) =>
  openBlobFile(
    request,
    () => new Worker(new URL('./hash.worker.ts', import.meta.url), { type: 'module', name: 'hash' }),
  );

expose(open);
