import { describe, expect, it } from 'vitest';
import { MemoryPreferencesStore, Preferences } from './preferences.ts';
import { defaultSettings, parseChange } from './parse.ts';

async function stored(saved: unknown) {
  const store = new MemoryPreferencesStore();
  store.saved = saved;
  const preferences = new Preferences(store);
  await preferences.load();
  return { store, preferences };
}

describe('a change', () => {
  it.each([
    [{ parallel_pulls: 0 }, 'parallel_pulls'],
    [{ parallel_pulls: 9 }, 'parallel_pulls'],
    [{ parallel_pulls: '2' }, 'parallel_pulls'],
    [{ context_size: 7 }, 'context_size'],
    [{ context_size: 1.5 }, 'context_size'],
    [{ keep_alive: 'soon' }, 'keep_alive'],
    [{ keep_alive: null }, 'keep_alive'],
    [{ memory_limit_bytes: -1 }, 'memory_limit_bytes'],
    [{ memory_limit_bytes: 1e300 }, 'memory_limit_bytes'],
    [{ compute: 'cuda' }, 'compute'],
    [[], 'body'],
    [null, 'body'],
    ['auto', 'body'],
  ])('to %j is refused and names the field', (value, param) => {
    expect(() => parseChange(value)).toThrow(expect.objectContaining({ code: 'invalid_request', param }));
  });

  it('to what is no setting is refused by name', () => {
    expect(() => parseChange({ compute: 'auto', colour: 'red' })).toThrow(
      expect.objectContaining({ code: 'unsupported_parameter', param: 'colour' }),
    );
  });

  it('may be a part, nothing, or an answer with its note', () => {
    expect(parseChange({ context_size: null, keep_alive: '-1' })).toEqual({
      context_size: null,
      keep_alive: '-1',
    });
    expect(parseChange({})).toEqual({});
    expect(parseChange({ ...defaultSettings, note: 'Said.' })).toEqual(defaultSettings);
  });
});

describe('preferences', () => {
  it.each([
    [undefined, {}],
    ['nonsense', {}],
    [[1, 2], {}],
    [{ parallel_pulls: 5 }, { parallel_pulls: 5 }],
    [
      { parallel_pulls: 99, context_size: 2048, keep_alive: 3, memory_limit_bytes: {}, compute: 'wasm' },
      { context_size: 2048, compute: 'wasm' },
    ],
  ])('stored as %j fall back field by field', async (saved, expected) => {
    expect((await stored(saved)).preferences.current).toEqual({ ...defaultSettings, ...expected });
  });

  it('are in force and stored when a change resolves, and two at once both hold', async () => {
    const { store, preferences } = await stored(undefined);
    let told = 0;
    preferences.changed.subscribe(() => told++);
    await Promise.all([preferences.change({ parallel_pulls: 4 }), preferences.change({ keep_alive: '1h' })]);
    const expected = { ...defaultSettings, parallel_pulls: 4, keep_alive: '1h' };
    expect(preferences.current).toEqual(expected);
    expect(store.saved).toEqual(expected);
    expect(preferences.keepAliveMs).toBe(3_600_000);
    expect(told).toBe(2);
  });

  it('stay as they were when they cannot be stored, and change again later', async () => {
    const { store, preferences } = await stored(undefined);
    const save = store.save.bind(store);
    store.save = () => Promise.reject(new Error('full'));
    await expect(preferences.change({ parallel_pulls: 7 })).rejects.toThrow('full');
    expect(preferences.current).toEqual(defaultSettings);
    store.save = save;
    await preferences.change({ parallel_pulls: 7 });
    expect(preferences.current.parallel_pulls).toBe(7);
  });
});
