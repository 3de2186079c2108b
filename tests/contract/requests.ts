/** What every place for request records and log lines does. */
import { describe, expect, it } from 'vitest';
import type { LogStore } from '#lib/runner/log/port.ts';
import type { RequestStore } from '#lib/runner/recorder/port.ts';

export function describeRequestStore(name: string, make: () => Promise<RequestStore>): void {
  describe(`request store (${name})`, () => {
    const stored = (id: string, value: unknown = id) => ({
      id,
      entry: { of: value },
      record: { whole: value },
    });

    it('gives back entries in the order of their ids and records one by one', async () => {
      const store = await make();
      expect(await store.entries()).toEqual([]);
      expect(await store.get('req_1')).toBeUndefined();
      await store.put([stored('req_2'), stored('req_1')]);
      await store.put([stored('req_3')]);
      expect(await store.entries()).toEqual([{ of: 'req_1' }, { of: 'req_2' }, { of: 'req_3' }]);
      expect(await store.get('req_2')).toEqual({ whole: 'req_2' });
    });

    it('puts a record in place of the one that had its id', async () => {
      const store = await make();
      await store.put([stored('req_1')]);
      await store.put([stored('req_1', 'again')]);
      expect(await store.entries()).toEqual([{ of: 'again' }]);
      expect(await store.get('req_1')).toEqual({ whole: 'again' });
    });

    it('keeps media by their keys, with the records or not at all', async () => {
      const store = await make();
      await store.put([stored('req_1')], [{ key: 'sha256:a', text: 'AAAA' }]);
      expect(await store.media('sha256:a')).toBe('AAAA');
      expect(await store.media('sha256:b')).toBeUndefined();
      await store.remove([], ['sha256:a', 'sha256:b']);
      expect(await store.media('sha256:a')).toBeUndefined();
      expect(await store.entries()).toEqual([{ of: 'req_1' }]);
    });

    it('removes what is named, also what is not there, and clears', async () => {
      const store = await make();
      await store.put([stored('req_1'), stored('req_2'), stored('req_3')]);
      await store.remove(['req_1', 'req_9']);
      await store.remove([]);
      expect(await store.entries()).toEqual([{ of: 'req_2' }, { of: 'req_3' }]);
      expect(await store.get('req_1')).toBeUndefined();
      await store.clear();
      expect(await store.entries()).toEqual([]);
      expect(await store.get('req_2')).toBeUndefined();
    });

    it('writes all or nothing', async () => {
      const store = await make();
      const impossible = { ...stored('req_2'), record: () => undefined };
      await expect(store.put([stored('req_1'), impossible])).rejects.toThrow();
      expect(await store.entries()).toEqual([]);
      expect(await store.get('req_1')).toBeUndefined();
    });

    it('keeps what it was given, whatever becomes of that', async () => {
      const store = await make();
      const record = { words: ['a'] };
      await store.put([{ id: 'req_1', entry: record, record }]);
      record.words.push('b');
      expect(await store.get('req_1')).toEqual({ words: ['a'] });
      expect(await store.entries()).toEqual([{ words: ['a'] }]);
    });
  });
}

export function describeLogStore(name: string, make: () => Promise<LogStore>): void {
  describe(`log store (${name})`, () => {
    it('gives back batches in the order of their first lines', async () => {
      const store = await make();
      expect(await store.batches()).toEqual([]);
      await store.put(100, ['c']);
      await store.put(9, ['a', 'b']);
      expect(await store.batches()).toEqual([
        [9, ['a', 'b']],
        [100, ['c']],
      ]);
    });

    it('removes batches and clears', async () => {
      const store = await make();
      await store.put(1, ['a']);
      await store.put(2, ['b']);
      await store.put(3, ['c']);
      await store.remove([1, 3, 7]);
      expect(await store.batches()).toEqual([[2, ['b']]]);
      await store.clear();
      expect(await store.batches()).toEqual([]);
    });
  });
}
