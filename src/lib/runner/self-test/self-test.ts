/**
 * Whether the engines compute correctly on this machine: each runs the tiny model that is built into the app, whose
 * answers are known word for word. The result is kept for each adapter and browser build.
 */
import * as v from 'valibot';
import type { Clock } from '#lib/core/clock.ts';
import { toApiError, type ErrorCode } from '#lib/core/errors.ts';
import type { Engine, EngineName, LoadableModel, LoadedModel } from '#lib/engine/port.ts';
import type { EngineTestJson, ProbeJson, SelfTestJson, SelfTestLine } from '#lib/model/wire-self-test.ts';
import { parseChatRequest } from '#lib/openai/chat.ts';
import { questions } from './questions.ts';

export interface SelfTestPorts {
  readonly engines: readonly Engine[];
  /** The built-in model in the form that an engine loads. */
  readonly model: (engine: EngineName) => Promise<LoadableModel>;
  readonly probe: () => Promise<ProbeJson>;
  readonly results: SelfTestResults;
  readonly clock: Clock;
}

/** Where results outlive the tab, by fingerprint. */
export interface SelfTestResults {
  load(): Promise<unknown>;
  save(results: unknown): Promise<void>;
}

const contextSize = 256;
const kept = 10;

const result = v.object({
  time_ms: v.number(),
  engines: v.array(
    v.object({
      engine: v.string(),
      verdict: v.picklist(['correct', 'wrong', 'failed', 'unavailable']),
      device: v.exactOptional(v.string()),
      load_ms: v.exactOptional(v.number()),
      tokens_per_second: v.exactOptional(v.number()),
      detail: v.exactOptional(v.string()),
    }),
  ),
});
const records = v.array(v.object({ fingerprint: v.string(), result }));

export class SelfTest {
  readonly #ports: SelfTestPorts;

  constructor(ports: SelfTestPorts) {
    this.#ports = ports;
  }

  probe(): Promise<ProbeJson> {
    return this.#ports.probe();
  }

  /** The last result of this very adapter, browser and app; another one proves nothing. */
  async last(probe: ProbeJson): Promise<SelfTestJson | undefined> {
    const fingerprint = fingerprintOf(probe);
    return (await this.#load()).find((record) => record.fingerprint === fingerprint)?.result;
  }

  /** One engine after the other; an engine that fails does not keep the other from being tested. */
  async run(tell: (line: SelfTestLine) => void, signal: AbortSignal): Promise<void> {
    const probe = await this.#ports.probe();
    const engines: EngineTestJson[] = [];
    for (const engine of this.#ports.engines) {
      const tested = await this.#test(engine, probe, { tell, signal });
      engines.push(tested);
      tell({ type: 'engine', result: tested });
    }
    const done = { time_ms: this.#ports.clock.now(), engines };
    await this.#save(fingerprintOf(probe), done);
    tell({ type: 'done', result: done });
  }

  async #test(engine: Engine, probe: ProbeJson, { tell, signal }: Run): Promise<EngineTestJson> {
    const { name } = engine;
    if (name === 'webllm' && !probe.adapter) {
      return {
        engine: name,
        verdict: 'unavailable',
        detail:
          'This browser offers no WebGPU adapter, which WebLLM needs. Models in GGUF form run on the CPU.',
      };
    }
    const startedMs = this.#ports.clock.now();
    let loaded: LoadedModel | undefined;
    try {
      tell({ type: 'step', engine: name, step: 'loading' });
      loaded = await engine.load(await this.#ports.model(name), { contextSize }, { signal });
      const loadMs = this.#ports.clock.now() - startedMs;
      tell({ type: 'step', engine: name, step: 'answering' });
      return { engine: name, device: loaded.device, load_ms: loadMs, ...(await ask(loaded, signal)) };
    } catch (thrown) {
      signal.throwIfAborted();
      const error = toApiError(thrown);
      return {
        engine: name,
        ...(loaded && { device: loaded.device }),
        verdict: 'failed',
        detail: `${error.message} ${adviceFor(error.code)}`.trim(),
      };
    } finally {
      await loaded?.close();
    }
  }

  async #load(): Promise<v.InferOutput<typeof records>> {
    const parsed = v.safeParse(records, await this.#ports.results.load());
    return parsed.success ? parsed.output : [];
  }

  async #save(fingerprint: string, done: SelfTestJson): Promise<void> {
    const others = (await this.#load()).filter((record) => record.fingerprint !== fingerprint);
    await this.#ports.results.save([{ fingerprint, result: done }, ...others].slice(0, kept));
  }
}

interface Run {
  readonly tell: (line: SelfTestLine) => void;
  readonly signal: AbortSignal;
}

type Answered = Pick<EngineTestJson, 'verdict' | 'tokens_per_second' | 'detail'>;

async function ask(model: LoadedModel, signal: AbortSignal): Promise<Answered> {
  let speed = 0;
  for (const { prompt, reply } of questions) {
    const said = await answerOf(model, prompt, signal);
    if (said.text !== reply) {
      return {
        verdict: 'wrong',
        detail: `Asked “${prompt}” it said “${said.text.slice(0, 80)}” instead of “${reply.slice(0, 80)}”. Answers of larger models will be wrong too: update the browser and the graphics driver, or turn the GPU off for this model.`,
      };
    }
    speed = said.tokensPerSecond;
  }
  return { verdict: 'correct', tokens_per_second: speed };
}

async function answerOf(
  model: LoadedModel,
  prompt: string,
  signal: AbortSignal,
): Promise<{ text: string; tokensPerSecond: number }> {
  const request = parseChatRequest({
    model: 'self-test',
    temperature: 0,
    max_tokens: 128,
    messages: [{ role: 'user', content: prompt }],
  });
  let text = '';
  let tokensPerSecond = 0;
  for await (const event of model.chat(request, signal)) {
    if (event.type === 'text') text += event.text;
    if (event.type !== 'finish' || event.timings.decodeMs <= 0) continue;
    tokensPerSecond = (event.timings.decodeTokens * 1000) / event.timings.decodeMs;
  }
  return { text, tokensPerSecond };
}

function adviceFor(code: ErrorCode): string {
  if (code === 'device_lost' || code === 'insufficient_memory')
    return 'Close other tabs that use the GPU and run the test again.';
  if (code === 'internal') return 'Update the browser and run the test again.';
  return '';
}

/** What the result depends on. */
function fingerprintOf({ version, user_agent: userAgent, isolated, adapter }: ProbeJson): string {
  const { vendor, architecture, description, f16 } = adapter ?? {
    vendor: '',
    architecture: '',
    description: '',
    f16: false,
  };
  return JSON.stringify([version, userAgent, isolated, vendor, architecture, description, f16]);
}
