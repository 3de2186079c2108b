import { afterEach, describe, expect, it } from 'vitest';
import { createStore, set } from 'idb-keyval';
import { describeLogStore, describeRequestStore } from '#tests/contract/requests.ts';
import { IdbLogLines } from './log-lines.ts';
import { IdbRequests } from './requests.ts';

const made: string[] = [];

function databaseName(): string {
  const name = `test-${crypto.randomUUID()}`;
  made.push(name);
  return name;
}

afterEach(() => {
  for (const name of made.splice(0)) indexedDB.deleteDatabase(name);
});

describeRequestStore('idb', () => Promise.resolve(new IdbRequests(databaseName())));

describeLogStore('idb', () => Promise.resolve(new IdbLogLines(databaseName())));

describe('IdbRequests', () => {
  it('is seen by the next tab', async () => {
    const name = databaseName();
    await new IdbRequests(name).put([{ id: 'req_1', entry: 1, record: 2 }]);
    expect(await new IdbRequests(name).entries()).toEqual([1]);
    expect(await new IdbRequests(name).get('req_1')).toBe(2);
  });

  it('fails as an ApiError', async () => {
    const requests = new IdbRequests(databaseName());
    await expect(requests.put([{ id: 'req_1', entry: 1, record: () => undefined }])).rejects.toMatchObject({
      name: 'ApiError',
      code: 'internal',
    });
  });
});

describe('IdbLogLines', () => {
  it('leaves out what has no number', async () => {
    const name = databaseName();
    await set('foreign', 1, createStore(name, 'lines'));
    expect(await new IdbLogLines(name).batches()).toEqual([]);
  });
});
