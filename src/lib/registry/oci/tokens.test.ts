import { describe, expect, it } from 'vitest';
import { ManualClock } from '#lib/core/clock.ts';
import type { Credentials } from '#lib/registry/port.ts';
import { TokenCache } from './tokens.ts';

const key = { host: 'registry.example.com', scope: 'repository:a/b:pull' };
const alice: Credentials = { kind: 'password', username: 'alice', password: 'p' };

describe('TokenCache', () => {
  it('gives a token until shortly before it expires', async () => {
    const clock = new ManualClock();
    const tokens = new TokenCache({ clock });
    tokens.set(key, 'Bearer a', 60_000);
    await clock.advance(49_999);
    expect(tokens.get(key)).toBe('Bearer a');
    await clock.advance(1);
    expect(tokens.get(key)).toBeUndefined();
  });

  it('still uses a token that lives for seconds', async () => {
    const clock = new ManualClock();
    const tokens = new TokenCache({ clock });
    tokens.set(key, 'Bearer a', 4_000);
    await clock.advance(1_999);
    expect(tokens.get(key)).toBe('Bearer a');
  });

  it('keeps hosts, scopes and credentials apart', () => {
    const tokens = new TokenCache({ clock: new ManualClock() });
    tokens.set(key, 'Bearer anonymous');
    expect(tokens.get({ ...key, host: 'other.example.com' })).toBeUndefined();
    expect(tokens.get({ ...key, scope: 'repository:c/d:pull' })).toBeUndefined();
    expect(tokens.get({ ...key, credentials: alice })).toBeUndefined();
    tokens.set({ ...key, credentials: alice }, 'Bearer alice');
    expect(tokens.get(key)).toBe('Bearer anonymous');
    expect(tokens.get({ ...key, credentials: { ...alice, password: 'q' } })).toBeUndefined();
  });

  it('forgets', () => {
    const tokens = new TokenCache({ clock: new ManualClock() });
    tokens.set(key, 'Basic x');
    tokens.forget(key);
    expect(tokens.get(key)).toBeUndefined();
  });
});
