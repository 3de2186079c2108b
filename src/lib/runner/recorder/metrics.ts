/** Counts of all requests since the runner began, also of those that are not recorded, in Prometheus' text form. */
import type { Recording } from './recording.ts';
import { Counter, Histogram, gauge, type Sample } from './prometheus.ts';

export interface Gauges {
  /** Requests that wait for their turn. */
  readonly queued: number;
  /** Models in memory and what they take of it, about. */
  readonly resident: readonly Sample[];
}

const secondsBounds = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120];
const tokenBounds = [0.001, 0.0025, 0.005, 0.01, 0.02, 0.035, 0.05, 0.075, 0.1, 0.25, 0.5, 1, 2.5];

export class RequestMetrics {
  #underWay = 0;
  readonly #requests = new Counter('sampan_requests_total', 'Requests that ended, by how they ended.');
  readonly #promptTokens = new Counter('sampan_prompt_tokens_total', 'Prompt tokens, cached ones included.');
  readonly #cachedTokens = new Counter('sampan_cached_prompt_tokens_total', 'Prompt tokens from the cache.');
  readonly #completionTokens = new Counter('sampan_completion_tokens_total', 'Generated tokens.');
  readonly #firstToken = new Histogram(
    'sampan_time_to_first_token_seconds',
    'From the start of a request to its first token.',
    secondsBounds,
  );
  readonly #interToken = new Histogram(
    'sampan_inter_token_seconds',
    'From one piece of an answer to the next.',
    tokenBounds,
  );
  readonly #duration = new Histogram(
    'sampan_request_duration_seconds',
    'From the start of a request to its end.',
    secondsBounds,
  );

  get underWay(): number {
    return this.#underWay;
  }

  began(): void {
    this.#underWay++;
  }

  ended(recording: Recording): void {
    this.#underWay--;
    const { modelName: model = '', engine = '', mode, state, startedMs, pieceTimesMs: times } = recording;
    const labels = { model, engine, mode };
    const { timing, usage } = recording.toRow();
    this.#requests.add({ ...labels, outcome: state }, 1);
    this.#promptTokens.add(labels, usage?.prompt_tokens ?? 0);
    this.#cachedTokens.add(labels, usage?.cached_tokens ?? 0);
    this.#completionTokens.add(labels, usage?.completion_tokens ?? 0);
    this.#duration.add(labels, (timing.duration_ms ?? 0) / 1000);
    let beforeMs: number | undefined;
    for (const atMs of times) {
      if (beforeMs === undefined) this.#firstToken.add(labels, (atMs - startedMs) / 1000);
      else this.#interToken.add(labels, (atMs - beforeMs) / 1000);
      beforeMs = atMs;
    }
  }

  toText({ queued, resident }: Gauges): string {
    return [
      this.#requests.toText(),
      this.#promptTokens.toText(),
      this.#cachedTokens.toText(),
      this.#completionTokens.toText(),
      this.#firstToken.toText(),
      this.#interToken.toText(),
      this.#duration.toText(),
      gauge('sampan_requests_in_flight', 'Requests that are being answered or wait.', [
        { value: this.#underWay },
      ]),
      gauge('sampan_queue_length', 'Requests that wait for their turn.', [{ value: queued }]),
      gauge('sampan_resident_bytes', 'Estimated memory of a model that is loaded.', resident),
    ].join('');
  }
}
