import { describe, expect, it } from 'vitest';
import { requestPersistence, usage } from './persistence.ts';

function storageThat(persisted: boolean, grants: boolean) {
  const asked: string[] = [];
  return {
    asked,
    persisted: () => Promise.resolve(persisted),
    persist() {
      asked.push('persist');
      return Promise.resolve(grants);
    },
    estimate: () => Promise.resolve({ usage: 5, quota: 10 }),
  };
}

describe('persistence', () => {
  it('asks the browser and tells its answer', async () => {
    expect(await requestPersistence(storageThat(false, true))).toBe(true);
    expect(await requestPersistence(storageThat(false, false))).toBe(false);
  });

  it('does not ask for what is granted already', async () => {
    const storage = storageThat(true, false);
    expect(await requestPersistence(storage)).toBe(true);
    expect(storage.asked).toEqual([]);
  });

  it('reports usage', async () => {
    expect(await usage(storageThat(true, true))).toEqual({ usedBytes: 5, quotaBytes: 10, persisted: true });
  });

  it('reports zero for what the browser does not say', async () => {
    const silent = { estimate: () => Promise.resolve({}), persisted: () => Promise.resolve(false) };
    expect(await usage(silent)).toEqual({ usedBytes: 0, quotaBytes: 0, persisted: false });
  });
});
