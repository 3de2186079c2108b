import { afterEach, describe, expect, it } from 'vitest';
import * as v from 'valibot';
import { createStore, set } from 'idb-keyval';
import { sha256 } from '#lib/core/digest.ts';
import { describeModelIndex, modelOf } from '#tests/contract/store.ts';
import { IdbModelIndex } from './model-index.ts';
import { ProgressStore } from './progress.ts';
import { IdbSettings } from './settings.ts';

const made: string[] = [];

function databaseName(): string {
  const name = `test-${crypto.randomUUID()}`;
  made.push(name);
  return name;
}

afterEach(() => {
  for (const name of made.splice(0)) indexedDB.deleteDatabase(name);
});

describeModelIndex('idb', async () => new IdbModelIndex(databaseName()));

describe('IdbModelIndex', () => {
  it('is seen by another tab and survives it', async () => {
    const name = databaseName();
    const model = await modelOf('a', 1);
    await new IdbModelIndex(name).put(model, 'one');
    expect(await new IdbModelIndex(name).find('one')).toEqual({ ...model, tags: ['one'] });
  });

  it('leaves out a record that it cannot read', async () => {
    const name = databaseName();
    const model = await modelOf('a', 1);
    await set(model.id, { id: model.id, from: 'another version' }, createStore(name, 'models'));
    const index = new IdbModelIndex(name);
    expect(await index.list()).toEqual([]);
    expect(await index.get(model.id)).toBeUndefined();
    await index.put(model, 'one');
    expect(await index.list()).toEqual([{ ...model, tags: ['one'] }]);
  });

  it('changes nothing when a change fails', async () => {
    const index = new IdbModelIndex(databaseName());
    const model = await modelOf('a', 1);
    await index.put(model, 'one');
    const other = { ...(await modelOf('b', 2)), unknown: () => undefined };
    await expect(index.put(other, 'one')).rejects.toMatchObject({ name: 'ApiError', code: 'internal' });
    expect(await index.list()).toEqual([{ ...model, tags: ['one'] }]);
  });
});

describe('ProgressStore', () => {
  it('leaves out what it cannot read', async () => {
    const name = databaseName();
    const digest = await sha256(new Uint8Array([1]));
    const raw = createStore(name, 'progress');
    await set(digest, { sizeBytes: 'many' }, raw);
    await set('not a digest', 1, raw);
    const progress = new ProgressStore(name);
    expect(await progress.get(digest)).toBeUndefined();
    expect((await progress.list()).size).toBe(0);
    const record = { sizeBytes: 5, segmentBytes: 8, bitmap: new Uint8Array(1), touchedAtMs: 1 };
    await progress.put(digest, record);
    expect([...(await progress.list())]).toEqual([[digest, record]]);
    await progress.remove(digest);
    expect(await progress.get(digest)).toBeUndefined();
  });
});

describe('IdbSettings', () => {
  const parseRoutes = (value: unknown) => {
    const parsed = v.safeParse(v.record(v.string(), v.string()), value);
    return parsed.success ? parsed.output : undefined;
  };

  it('keeps what was set, also for the next tab', async () => {
    const name = databaseName();
    await new IdbSettings(name).set('routes', { 'docker.io': 'relay' });
    expect(await new IdbSettings(name).get('routes', parseRoutes)).toEqual({ 'docker.io': 'relay' });
  });

  it('counts as absent what was never set or cannot be parsed', async () => {
    const settings = new IdbSettings(databaseName());
    expect(await settings.get('routes', parseRoutes)).toBeUndefined();
    await settings.set('routes', 5);
    expect(await settings.get('routes', parseRoutes)).toBeUndefined();
  });
});
