/** Whether the browser may throw the models away, and how much they take. */

/** `navigator.storage`. Workers have no `persist()`, so a page asks, after the first pull. */
type PageStorage = Pick<StorageManager, 'persisted'> & { persist(): Promise<boolean> };

/** Asks that the models survive storage pressure. Chromium decides by use and installation, Firefox asks the person. */
export async function requestPersistence(storage: PageStorage): Promise<boolean> {
  if (await storage.persisted()) return true;
  return storage.persist();
}

export interface StorageUsage {
  readonly usedBytes: number;
  /**
   * For display only. Chromium (138 and later) reports usage + 10 GiB whatever the disk holds, so no download is
   * refused because of it.
   */
  readonly quotaBytes: number;
  readonly persisted: boolean;
}

/** Works in workers too. */
export async function usage(storage: Pick<StorageManager, 'estimate' | 'persisted'>): Promise<StorageUsage> {
  const [estimate, persisted] = await Promise.all([storage.estimate(), storage.persisted()]);
  return { usedBytes: estimate.usage ?? 0, quotaBytes: estimate.quota ?? 0, persisted };
}
