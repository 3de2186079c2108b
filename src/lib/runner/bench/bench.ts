/**
 * How fast a model is here, in the shape of llama-bench: prefill of 512 tokens, decode of 128, after a warm-up, each
 * several times. Besides, what a person waits for the first token, and what several requests at once get together.
 */
import type { Clock } from '#lib/core/clock.ts';
import type { LoadedModel } from '#lib/engine/port.ts';
import type { BenchLineJson, BenchResultJson, BenchStage, FigureJson } from '#lib/model/wire-bench.ts';
import { figureOf } from './figure.ts';
import { measure, perSecond } from './measure.ts';
import type { BenchModels } from './port.ts';
import { calibrate, promptOf } from './prompts.ts';

export interface BenchOptions {
  readonly models: BenchModels;
  readonly clock: Clock;
  readonly version: string;
  readonly repetitions: number;
  readonly signal: AbortSignal;
  readonly tell: (line: Extract<BenchLineJson, { type: 'progress' }>) => void;
}

type Figures = Pick<BenchResultJson, 'device' | 'prompt' | 'generation' | 'first_token' | 'parallel'>;

const promptTokens = 512;
const generatedTokens = 128;
/** Of each request among several. */
const sharedTokens = 32;
const atOnce = [1, 2, 4, 8];
/** Words of a prompt whose prefill is not what is measured. */
const shortWords = 1;

/** Rejects with the signal's reason when aborted, and with what loading and answering throw. */
export async function runBench(
  reference: string,
  options: BenchOptions,
): Promise<Omit<BenchResultJson, 'id'>> {
  const { id, name, engine, adapter } = await options.models.identify(reference);
  const figures = await new Bench(options).run(reference);
  return {
    date_ms: options.clock.now(),
    model: name,
    model_id: id,
    engine,
    ...(adapter !== undefined && { adapter }),
    version: options.version,
    ...figures,
  };
}

class Bench {
  readonly #options: BenchOptions;
  readonly #total: number;
  #done = 0;
  /** Of the next prompt. */
  #turn = 0;

  constructor(options: BenchOptions) {
    this.#options = options;
    // Two loads, a warm-up, three figures alone, and one for each number of requests at once.
    this.#total = 3 + (3 + atOnce.length) * options.repetitions;
  }

  async run(reference: string): Promise<Figures> {
    const { models, clock, signal } = this.#options;
    this.#tell('loading');
    const startedMs = clock.now();
    const config = { contextSize: promptTokens + generatedTokens };
    const alone = await models.withModel(reference, config, (model) => this.#alone(model, startedMs), signal);
    const shared = { contextSize: 2 * atOnce.length * generatedTokens, parallel: Math.max(...atOnce) };
    this.#tell('loading');
    const parallel = await models.withModel(reference, shared, (model) => this.#together(model), signal);
    return { ...alone, parallel };
  }

  async #alone(model: LoadedModel, startedMs: number): Promise<Omit<Figures, 'parallel'>> {
    const { firstTokenAtMs } = await this.#ask(model, shortWords, 1);
    const cold = firstTokenAtMs - startedMs;
    this.#step('warm-up');
    const target = Math.min(promptTokens, model.contextSize - 8);
    const words = await calibrate(target, async (each) => {
      const { timings } = await this.#ask(model, each, 1);
      return timings.prefillTokens;
    });
    this.#step('prompt');
    let tokens = target;
    const prompt = await this.#repeat('prompt', async () => {
      const { timings } = await this.#ask(model, words, 1);
      tokens = timings.prefillTokens;
      return perSecond(timings.prefillTokens, timings.prefillMs);
    });
    const asked = Math.min(generatedTokens, model.contextSize - 8);
    const generation = await this.#repeat('generation', async () => {
      const { timings } = await this.#ask(model, shortWords, asked);
      return perSecond(timings.decodeTokens, timings.decodeMs);
    });
    const warm = await this.#repeat('first-token', async () => {
      const askedMs = this.#options.clock.now();
      return (await this.#ask(model, shortWords, 1)).firstTokenAtMs - askedMs;
    });
    return {
      device: model.device,
      prompt: { tokens, per_second: prompt },
      generation: { tokens: asked, per_second: generation },
      first_token: { cold_ms: cold, warm_ms: warm },
    };
  }

  /** As many at once as the engine answers; more would only wait in a queue. */
  async #together(model: LoadedModel): Promise<BenchResultJson['parallel']> {
    this.#step('parallel');
    const counts = atOnce.filter((requests) => requests <= model.inForce.parallel);
    const figures: { requests: number; per_second: FigureJson }[] = [];
    for (const requests of counts) {
      const per_second = await this.#repeat('parallel', () => this.#throughput(model, requests));
      figures.push({ requests, per_second });
    }
    return figures;
  }

  async #throughput(model: LoadedModel, requests: number): Promise<number> {
    const { clock } = this.#options;
    const startedMs = clock.now();
    const asked = Array.from({ length: requests }, () => this.#ask(model, shortWords, sharedTokens));
    const answers = await Promise.all(asked);
    const tokens = answers.reduce((sum, { completionTokens }) => sum + completionTokens, 0);
    return perSecond(tokens, clock.now() - startedMs);
  }

  #ask(model: LoadedModel, words: number, tokens: number) {
    return measure(model, { prompt: promptOf(words, this.#turn++), tokens }, this.#options);
  }

  async #repeat(stage: BenchStage, once: () => Promise<number>): Promise<FigureJson> {
    const samples: number[] = [];
    for (let each = 0; each < this.#options.repetitions; each++) {
      samples.push(await once());
      this.#step(stage);
    }
    return figureOf(samples);
  }

  #step(stage: BenchStage): void {
    this.#done++;
    this.#tell(stage);
  }

  #tell(stage: BenchStage): void {
    this.#options.tell({ type: 'progress', stage, done: this.#done, total: this.#total });
  }
}
