import { afterEach, describe, expect, it } from 'vitest';
import * as v from 'valibot';
import { createStore, set } from 'idb-keyval';
import { sha256 } from '#lib/core/digest.ts';
import { describeModelIndex, describeModelSettings, modelOf } from '#tests/contract/store.ts';
import { IdbModelIndex } from './model-index.ts';
import { IdbModelSettings } from './model-settings.ts';
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

describeModelSettings('idb', async () => new IdbModelSettings(databaseName()));

describe('IdbModelIndex', () => {
  it('is seen by another tab and survives it', async () => {
    const name = databaseName();
    const model = await modelOf('a', 1);
    await new IdbModelIndex(name).put(model, ['one']);
    expect(await new IdbModelIndex(name).find('one')).toEqual({ ...model, tags: ['one'] });
  });

  it('sees at once what another tab changes, whatever it has read before', async () => {
    const name = databaseName();
    const [first, second] = [new IdbModelIndex(name), new IdbModelIndex(name)];
    const [a, b] = [await modelOf('a', 1), await modelOf('b', 2)];
    await first.put(a, ['one']);
    expect(await second.list()).toHaveLength(1);
    await second.put(b, ['one']);
    expect((await first.find('one'))?.id).toBe(b.id);
    await first.touch(b.id, 7);
    await second.remove(a.id);
    await second.tag(b.id, 'two');
    expect(await first.list()).toEqual([{ ...b, tags: ['one', 'two'], lastUsedAtMs: 7 }]);
    expect(await first.list()).toEqual(await second.list());
    expect(await new IdbModelIndex(name).list()).toEqual(await first.list());
  });

  it('reads no model again that nobody has changed', async () => {
    const index = new IdbModelIndex(databaseName());
    const [a, b] = [await modelOf('a', 1), await modelOf('b', 2)];
    await index.put(a, ['one']);
    const config = (await index.get(a.id))?.config;
    await index.put(b, ['two']);
    await index.touch(a.id, 7);
    expect((await index.find('one'))?.config).toBe(config);
  });

  it('keeps its own copy of what it is given', async () => {
    const index = new IdbModelIndex(databaseName());
    const model = await modelOf('a', 1);
    await index.put(model, ['one']);
    model.config.fill(0);
    expect((await index.get(model.id))?.config).toEqual((await modelOf('a', 1)).config);
  });

  it('leaves out a record that it cannot read', async () => {
    const name = databaseName();
    const model = await modelOf('a', 1);
    await set(model.id, { id: model.id, from: 'another version' }, createStore(name, 'models'));
    const index = new IdbModelIndex(name);
    expect(await index.list()).toEqual([]);
    expect(await index.get(model.id)).toBeUndefined();
    await index.put(model, ['one']);
    expect(await index.list()).toEqual([{ ...model, tags: ['one'] }]);
  });

  it('changes nothing when a change fails', async () => {
    const index = new IdbModelIndex(databaseName());
    const model = await modelOf('a', 1);
    await index.put(model, ['one']);
    const other = { ...(await modelOf('b', 2)), unknown: () => undefined };
    await expect(index.put(other, ['one', 'two'])).rejects.toMatchObject({
      name: 'ApiError',
      code: 'internal',
    });
    expect(await index.list()).toEqual([{ ...model, tags: ['one'] }]);
  });
});

describe('IdbModelSettings', () => {
  it('is seen by another tab, leaves out foreign keys and refuses what it cannot keep', async () => {
    const name = databaseName();
    const { id } = await modelOf('a', 1);
    await new IdbModelSettings(name).put(id, { contextSize: 1024 });
    await set('not a digest', 1, createStore(name, 'model-settings'));
    const settings = new IdbModelSettings(name);
    await expect(settings.put(id, () => undefined)).rejects.toMatchObject({
      name: 'ApiError',
      code: 'internal',
    });
    expect(await settings.list()).toEqual(new Map([[id, { contextSize: 1024 }]]));
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
