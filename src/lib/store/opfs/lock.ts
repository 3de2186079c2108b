/** A Web Lock that is held until it is released, or until the tab dies. */
import type { Digest } from '#lib/core/digest.ts';
import { digestHex } from '#lib/core/digest.ts';

export type Locks = Pick<LockManager, 'request'>;

export interface HeldLock {
  /** Resolves once others can have it. */
  release(): Promise<void>;
}

/** Guards the partial of a digest across tabs; `undefined` while somebody else holds it. */
export function tryLockBlob(locks: Locks, digest: Digest): Promise<HeldLock | undefined> {
  return new Promise((resolve, reject) => {
    const held: Promise<void> = locks.request(
      `sampan-blob:${digestHex(digest)}`,
      { ifAvailable: true },
      (lock) => {
        if (!lock) return resolve(undefined);
        return new Promise<void>((release) =>
          resolve({
            release() {
              release();
              return held;
            },
          }),
        );
      },
    );
    held.catch(reject);
  });
}
