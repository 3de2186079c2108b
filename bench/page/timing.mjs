// The clock of one streamed answer, fed with its chunks as they arrive.
import { EventSourceParserStream } from 'eventsource-parser/stream';

/** `send` asks for a stream; the clock starts before it. */
export async function readAnswer(send) {
  const timing = new Timing();
  const response = await send();
  if (!response.ok) throw new Error(await response.text());
  const events = response.body
    .pipeThrough(new TextDecoderStream())
    .pipeThrough(new EventSourceParserStream());
  const reader = events.getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    if (next.value.data !== '[DONE]') timing.mark(JSON.parse(next.value.data));
  }
  return timing.toJSON();
}

export class Timing {
  #startMs = performance.now();
  #firstMs;
  #lastMs;
  #text = '';
  #tokens = 0;
  #promptTokens = 0;
  #cachedTokens = 0;
  #engine;

  mark(chunk) {
    if (chunk.error) throw new Error(chunk.error.message);
    const nowMs = performance.now();
    const text = chunk.choices[0]?.delta?.content;
    if (text) {
      this.#firstMs ??= nowMs;
      this.#lastMs = nowMs;
      this.#text += text;
    }
    this.#count(chunk.usage);
    this.#engine = chunk.timings ?? this.#engine;
  }

  #count(usage) {
    if (!usage) return;
    this.#tokens = usage.completion_tokens;
    this.#promptTokens = usage.prompt_tokens;
    this.#cachedTokens = usage.prompt_tokens_details?.cached_tokens ?? 0;
  }

  /** `tokensPerSecond` is from the first text to the last, as the reader sees it; `engineTokensPerSecond` is llama.cpp's, which WebLLM alone does not have. */
  toJSON() {
    return {
      text: this.#text,
      tokens: this.#tokens,
      promptTokens: this.#promptTokens,
      cachedTokens: this.#cachedTokens,
      lastMs: this.#lastMs - this.#startMs,
      firstMs: this.#firstMs - this.#startMs,
      tokensPerSecond: ((this.#tokens - 1) * 1000) / (this.#lastMs - this.#firstMs),
      engineTokensPerSecond: this.#engine && (this.#engine.predicted_n * 1000) / this.#engine.predicted_ms,
    };
  }
}
