/** One download per blob, whoever asks: a second pull that needs the same layer follows the first one's progress. */
import type { Digest } from '#lib/core/digest.ts';

interface Running {
  readonly ended: Promise<void>;
  readonly followers: Set<(receivedBytes: number) => void>;
}

export interface DownloadRequest {
  readonly digest: Digest;
  readonly signal: AbortSignal;
  readonly onProgress: (receivedBytes: number) => void;
  readonly isStored: () => Promise<boolean>;
  /** Fetches it; rejects when it cannot. */
  readonly run: (onProgress: (receivedBytes: number) => void) => Promise<void>;
}

export class Downloads {
  readonly #running = new Map<Digest, Running>();

  /** Resolves when the blob is stored. When the download that was followed fails or is paused, the next in line starts its own. */
  async fetch(request: DownloadRequest): Promise<void> {
    for (;;) {
      const running = this.#running.get(request.digest);
      if (!running) return this.#start(request);
      await follow(running, request);
      if (await request.isStored()) return;
    }
  }

  async #start({ digest, onProgress, run }: DownloadRequest): Promise<void> {
    const followers = new Set([onProgress]);
    const work = run((receivedBytes) => {
      for (const tell of followers) tell(receivedBytes);
    });
    const ended = work.then(
      () => undefined,
      // Whoever started it is told; followers only need to know that it is over.
      () => undefined,
    );
    this.#running.set(digest, { ended, followers });
    try {
      await work;
    } finally {
      this.#running.delete(digest);
    }
  }
}

async function follow(running: Running, { signal, onProgress }: DownloadRequest): Promise<void> {
  running.followers.add(onProgress);
  try {
    await settledOrAborted(running.ended, signal);
  } finally {
    running.followers.delete(onProgress);
  }
}

function settledOrAborted(ended: Promise<void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const onAbort = () => reject(signal.reason as Error);
    signal.addEventListener('abort', onAbort, { once: true });
    void ended.then(() => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    });
  });
}
