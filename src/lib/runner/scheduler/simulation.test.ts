/** The policy under random schedules: whatever comes when, nothing wedges and no rule is broken. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { simulate, type Schedule } from './testing/simulation.ts';

const often = <T>(usual: T, ...rare: readonly T[]) => fc.constantFrom(usual, usual, usual, ...rare);

const schedules: fc.Arbitrary<Schedule> = fc.record({
  budgetBytes: fc.integer({ min: 1, max: 100 }),
  models: fc.array(
    fc.record({
      sizeBytes: fc.integer({ min: 1, max: 60 }),
      parallel: fc.integer({ min: 1, max: 3 }),
      keepAliveMs: fc.constantFrom(0, 100, 5000, 5000, Infinity),
    }),
    { minLength: 1, maxLength: 3 },
  ),
  loads: fc.array(
    fc.record({
      loadMs: fc.nat(300),
      closeMs: fc.nat(100),
      diesAfterMs: often<number | undefined>(undefined, 0, 50, 400).map((ms) => ms ?? 1e9),
      onAbort: fc.constantFrom('stop' as const, 'ignore' as const),
      fails: often(false, true),
    }),
    { maxLength: 5 },
  ),
  requests: fc.array(
    fc.record({
      atMs: fc.nat(2000),
      model: fc.nat(2),
      contextSize: often(64, 128),
      holdMs: fc.nat(600),
      leavesAfterMs: often<number | undefined>(undefined, 0, 30, 300, 1000),
    }),
    { minLength: 1, maxLength: 7 },
  ),
});

/** Behind every other request, each with a load and a close of its own; a death costs a wait, patience is had once. */
function longestWaitMs({ requests }: Schedule, deaths: number): number {
  const turnMs = 2 * (600 + 300 + 100);
  return requests.length * turnMs + deaths * 30_000;
}

function allowedCodes({ models, loads, requests }: Schedule): readonly string[] {
  return [
    'done',
    ...(models.some(({ keepAliveMs }) => keepAliveMs === Infinity) ? ['insufficient_memory'] : []),
    ...(loads.some(({ fails }) => fails) ? ['unsupported_model_format'] : []),
    ...(loads.some(({ diesAfterMs = 1e9 }) => diesAfterMs < 1e9) ? ['device_lost'] : []),
    ...(requests.some(({ leavesAfterMs }) => leavesAfterMs !== undefined) ? ['aborted'] : []),
  ];
}

it('10 000 random schedules end, within their bounds, and break no rule', { timeout: 120_000 }, async () => {
  const seen = new Set<string | undefined>();
  await fc.assert(
    fc.asyncProperty(schedules, async (schedule) => {
      const { outcomes, broken, deaths } = await simulate(schedule);
      const [allowed, longestMs] = [allowedCodes(schedule), longestWaitMs(schedule, deaths)];
      const wrong = outcomes.filter(
        ({ code, waitedMs }) => code === undefined || !allowed.includes(code) || waitedMs > longestMs,
      );
      for (const { code } of outcomes) seen.add(code);
      // One assertion a schedule: a hundred thousand of them take longer than all schedules.
      expect([...broken, ...wrong]).toEqual([]);
    }),
    { numRuns: 10_000 },
  );
  // The schedules reach what they are for.
  const codes = ['done', 'aborted', 'insufficient_memory', 'unsupported_model_format', 'device_lost'];
  expect([...seen].sort()).toEqual(codes.sort());
});

it('a model that others keep busy for ever makes room within its patience and one answer', async () => {
  const streams = fc.record({
    parallel: fc.integer({ min: 2, max: 4 }),
    gapMs: fc.integer({ min: 50, max: 400 }),
    atMs: fc.integer({ min: 500, max: 3000 }),
    loadMs: fc.nat(300),
    closeMs: fc.nat(100),
  });
  await fc.assert(
    fc.asyncProperty(streams, async ({ parallel, gapMs, atMs, loadMs, closeMs }) => {
      // They come as fast as they are answered, and so overlap that the model is never idle.
      const holdMs = gapMs * parallel;
      const busy = { model: 0, contextSize: 64, holdMs, leavesAfterMs: undefined };
      const stream = Array.from({ length: Math.ceil(20_000 / gapMs) }, (_, nth) => ({
        ...busy,
        atMs: nth * gapMs,
      }));
      const model = { sizeBytes: 10, keepAliveMs: 5000 };
      const { outcomes, broken } = await simulate({
        budgetBytes: 10,
        models: [
          { ...model, parallel },
          { ...model, parallel: 1 },
        ],
        loads: stream.map(() => ({ loadMs, closeMs })),
        requests: [...stream, { ...busy, model: 1, atMs }],
      });
      expect(broken).toEqual([]);
      expect(outcomes.every(({ code }) => code === 'done')).toBe(true);
      // Two answers: what came before it may have to queue for a place itself, behind the load.
      expect(outcomes.at(-1)?.waitedMs).toBeLessThanOrEqual(5000 + 2 * (holdMs + loadMs + closeMs));
      expect(outcomes.at(-1)?.waitedMs).toBeGreaterThanOrEqual(5000);
    }),
    { numRuns: 30 },
  );
});
