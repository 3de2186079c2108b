import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planRoom, type Occupant, type RoomPlan } from './room.ts';

interface Named extends Occupant {
  readonly name: string;
}

/** Used in the order in which they are listed. */
function occupants(...list: readonly (readonly [string, number, Occupant['state']])[]): readonly Named[] {
  return list.map(([name, sizeBytes, state], lastUsedMs) => ({ name, sizeBytes, state, lastUsedMs }));
}

interface Setting {
  readonly need: number;
  readonly budget?: number;
  readonly claims?: readonly string[];
  readonly reserved?: { readonly bytes: number; readonly claims: readonly string[] };
}

function plan(
  list: readonly Named[],
  { need, budget = 100, claims = [], reserved }: Setting,
): readonly string[] {
  const named = (names: readonly string[] = []) => new Set(list.filter(({ name }) => names.includes(name)));
  return words(
    planRoom({
      needBytes: need,
      budgetBytes: budget,
      occupants: list,
      claims: named(claims),
      reserved: { bytes: reserved?.bytes ?? 0, claims: named(reserved?.claims) },
    }),
  );
}

function words(result: RoomPlan<Named>): readonly string[] {
  const who = { load: [], evict: 'victims' in result ? result.victims : [] };
  if (result.action === 'wait') return ['wait', ...result.claims.map(({ name }) => name)];
  if (result.action === 'refuse') return ['refuse', ...result.pinned.map(({ name }) => name)];
  return [result.action, ...who[result.action].map(({ name }) => name)];
}

describe('room', () => {
  it('is there while all fit, to the byte, and always where the budget is unknown', () => {
    const list = occupants(['a', 60, 'busy']);
    expect(plan(list, { need: 40 })).toEqual(['load']);
    expect(plan(list, { need: 41 })).toEqual(['wait', 'a']);
    expect(plan(list, { need: 1e15, budget: Infinity })).toEqual(['load']);
  });

  it('is made by the least recently used idle ones, as few as are enough', () => {
    const list = occupants(['a', 20, 'idle'], ['b', 20, 'idle'], ['c', 20, 'idle'], ['d', 20, 'busy']);
    expect(plan(list, { need: 40 })).toEqual(['evict', 'a']);
    expect(plan(list, { need: 60 })).toEqual(['evict', 'a', 'b']);
    expect(plan(occupants(['small', 10, 'idle'], ['big', 90, 'idle']), { need: 60 })).toEqual([
      'evict',
      'big',
    ]);
  });

  it('is waited for when busy ones have to leave too; idle ones are not evicted in vain', () => {
    const list = occupants(['a', 40, 'busy'], ['b', 20, 'idle'], ['c', 40, 'busy']);
    expect(plan(list, { need: 60 })).toEqual(['wait', 'b', 'a']);
    expect(plan(list, { need: 100 })).toEqual(['wait', 'b', 'a', 'c']);
  });

  it('is waited for with whom it was waited for before, unless idle ones are enough by now', () => {
    const list = occupants(['a', 50, 'busy'], ['b', 50, 'busy']);
    expect(plan(list, { need: 50 })).toEqual(['wait', 'a']);
    expect(plan(list, { need: 50, claims: ['b'] })).toEqual(['wait', 'b']);
    const rested = occupants(['a', 50, 'idle'], ['b', 50, 'busy']);
    expect(plan(rested, { need: 50, claims: ['b'] })).toEqual(['evict', 'a']);
  });

  it('is not there before those that leave have left', () => {
    const list = occupants(['a', 60, 'leaving'], ['b', 40, 'idle']);
    expect(plan(list, { need: 60 })).toEqual(['wait']);
    expect(plan(list, { need: 61 })).toEqual(['evict', 'b']);
  });

  it('is given to a model larger than all memory when it is alone', () => {
    expect(plan([], { need: 200 })).toEqual(['load']);
    expect(plan(occupants(['a', 1, 'idle']), { need: 200 })).toEqual(['evict', 'a']);
    expect(plan(occupants(['a', 1, 'leaving']), { need: 200 })).toEqual(['wait']);
    expect(plan(occupants(['giant', 200, 'idle']), { need: 1 })).toEqual(['evict', 'giant']);
  });

  it('is never made by pinned ones; if only they are left, it is refused by name', () => {
    const list = occupants(['p', 50, 'pinned'], ['a', 50, 'idle'], ['q', 20, 'pinned']);
    expect(plan(list, { need: 30 })).toEqual(['evict', 'a']);
    expect(plan(list, { need: 31 })).toEqual(['refuse', 'p', 'q']);
    expect(plan(occupants(['p', 1, 'pinned']), { need: 200 })).toEqual(['refuse', 'p']);
  });

  it('that an earlier request waits for is left to it; what is over may be used', () => {
    const list = occupants(['a', 60, 'busy'], ['b', 20, 'idle']);
    const reserved = { bytes: 60, claims: ['a'] };
    expect(plan(list, { need: 20, reserved })).toEqual(['load']);
    expect(plan(list, { need: 21, reserved })).toEqual(['evict', 'b']);
    expect(plan(list, { need: 41, reserved })).toEqual(['wait']);
    expect(plan([], { need: 1, reserved: { bytes: 200, claims: [] } })).toEqual(['wait']);
  });

  it('keeps its rules whatever is in memory', () => {
    const state = fc.constantFrom<Occupant['state']>('idle', 'busy', 'pinned', 'leaving');
    const list = fc.array(fc.record({ sizeBytes: fc.nat(60), lastUsedMs: fc.nat(9), state }), {
      maxLength: 6,
    });
    fc.assert(
      fc.property(list, fc.nat(120), fc.nat(40), (all, needBytes, bytes) => {
        const result = planRoom({
          needBytes,
          budgetBytes: 100,
          occupants: all,
          claims: new Set<Occupant>(),
          reserved: { bytes, claims: new Set<Occupant>() },
        });
        const sum = (some: readonly Occupant[]) => some.reduce((total, each) => total + each.sizeBytes, 0);
        if (result.action === 'load') expect(all.length === 0 || sum(all) + needBytes <= 100).toBe(true);
        if (result.action === 'evict')
          expect(result.victims.every((each) => each.state === 'idle')).toBe(true);
        if (result.action === 'wait') {
          const rest = result.claims.filter((each) => each.state === 'pinned' || each.state === 'leaving');
          expect(rest).toEqual([]);
        }
        if (result.action === 'refuse') expect(sum(result.pinned) + needBytes).toBeGreaterThan(100);
      }),
    );
  });
});
