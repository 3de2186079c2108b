import { describe, expect, it } from 'vitest';
import { ManualClock } from '#lib/core/clock.ts';
import { ApiError } from '#lib/core/errors.ts';
import type { Engine } from '#lib/engine/port.ts';
import { ScriptedEngine } from '#lib/engine/scripted.ts';
import type { ProbeJson, SelfTestLine } from '#lib/model/wire-self-test.ts';
import { questions } from './questions.ts';
import { SelfTest } from './self-test.ts';

const adapter = { vendor: 'v', architecture: 'a', description: 'd', f16: true, features: [], limits: {} };
const probe: ProbeJson = {
  version: '1',
  user_agent: 'Browser/1',
  isolated: true,
  cores: 2,
  threads: 2,
  jspi: true,
  storage: { used_bytes: 0, quota_bytes: 1, persisted: false },
  adapter,
};

class Results {
  saved: unknown;
  load = () => Promise.resolve(this.saved);
  save = (results: unknown) => {
    this.saved = structuredClone(results);
    return Promise.resolve();
  };
}

const knowing = (prompt: string) => [questions.find((each) => each.prompt === prompt)?.reply ?? ''];

function webllm(engine: ScriptedEngine): Engine {
  return { name: 'webllm', describe: () => engine.describe(), load: (...given) => engine.load(...given) };
}

function make(engines: readonly Engine[], results = new Results(), seen = probe) {
  const clock = new ManualClock(1000);
  return new SelfTest({
    engines,
    clock,
    results,
    probe: () => Promise.resolve(seen),
    model: () => Promise.resolve({ kind: 'gguf', id: `sha256:${'0'.repeat(64)}`, weights: [] }),
  });
}

async function run(test: SelfTest, signal = new AbortController().signal): Promise<SelfTestLine[]> {
  const lines: SelfTestLine[] = [];
  await test.run((line) => lines.push(line), signal);
  return lines;
}

const doneOf = (lines: readonly SelfTestLine[]) => {
  const last = lines.at(-1);
  return last?.type === 'done' ? last.result.engines : expect.fail('the last line is not the result');
};

describe('the self-test', () => {
  it('says that both engines compute correctly, and frees what they loaded', async () => {
    const [first, second] = [new ScriptedEngine({ reply: knowing }), new ScriptedEngine({ reply: knowing })];
    const lines = await run(make([first, webllm(second)]));
    expect(lines.map((line) => (line.type === 'step' ? `${line.engine} ${line.step}` : line.type))).toEqual([
      'llama.cpp loading',
      'llama.cpp answering',
      'engine',
      'webllm loading',
      'webllm answering',
      'engine',
      'done',
    ]);
    expect(doneOf(lines)).toMatchObject([
      { engine: 'llama.cpp', verdict: 'correct', device: 'scripted', tokens_per_second: 1000 },
      { engine: 'webllm', verdict: 'correct' },
    ]);
    expect([first.loaded, second.loaded]).toEqual([0, 0]);
  });

  it('tells what was said instead, and what to do', async () => {
    const [tested] = doneOf(await run(make([new ScriptedEngine({ reply: () => ['Rome.'] })])));
    expect(tested).toMatchObject({ verdict: 'wrong' });
    expect(tested?.detail).toContain('“Rome.” instead of “Paris.”');
  });

  it('tests the second engine when the first cannot load', async () => {
    const onLoad = () => Promise.reject(new ApiError('device_lost', 'The GPU was lost.'));
    const tested = doneOf(
      await run(make([new ScriptedEngine({ onLoad }), webllm(new ScriptedEngine({ reply: knowing }))])),
    );
    expect(tested).toMatchObject([{ verdict: 'failed' }, { verdict: 'correct' }]);
    expect(tested[0]?.detail).toContain('The GPU was lost. Close other tabs');
  });

  it('does not try WebLLM without an adapter', async () => {
    const engine = new ScriptedEngine({ reply: knowing });
    const tested = doneOf(await run(make([webllm(engine)], new Results(), { ...probe, adapter: null })));
    expect(tested).toMatchObject([{ verdict: 'unavailable' }]);
    expect(engine.loads).toBe(0);
  });

  it('keeps the result for this adapter and browser only', async () => {
    const results = new Results();
    const test = make([new ScriptedEngine({ reply: knowing })], results);
    await run(test);
    expect(await test.last(probe)).toMatchObject({ time_ms: 1000, engines: [{ verdict: 'correct' }] });
    expect(await test.last({ ...probe, user_agent: 'Browser/2' })).toBeUndefined();
    expect(await test.last({ ...probe, adapter: { ...adapter, architecture: 'b' } })).toBeUndefined();
    expect(await make([], results).last(probe)).toBeDefined();
  });

  it('reads nothing from what somebody else wrote there', async () => {
    const results = new Results();
    results.saved = [{ fingerprint: 1, result: 'x' }];
    expect(await make([], results).last(probe)).toBeUndefined();
  });

  it('ends when it is cancelled, keeps nothing, and frees the model', async () => {
    const results = new Results();
    const abort = new AbortController();
    const engine = new ScriptedEngine({
      reply: knowing,
      beforeWord: () => {
        abort.abort();
        return Promise.resolve();
      },
    });
    await expect(run(make([engine], results), abort.signal)).rejects.toMatchObject({ name: 'AbortError' });
    expect(results.saved).toBeUndefined();
    expect(engine.loaded).toBe(0);
  });
});
