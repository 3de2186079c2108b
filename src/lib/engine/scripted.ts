/** An engine that answers from a script, so that everything above it is tested without a model. Passes the contract. */
import { ApiError } from '#lib/core/errors.ts';
import { messageText, type ChatRequest } from '#lib/openai/chat.ts';
import type { ChatEvent } from '#lib/openai/events.ts';
import { ReplyText, stopTextsOf } from './reply-text.ts';
import type { Engine, LoadableModel, LoadConfig, LoadedConfig, LoadedModel, LoadOptions } from './port.ts';

export interface ScriptedOptions {
  /** The words of the answer to a prompt. */
  readonly reply?: (prompt: string) => readonly string[];
  /** Awaited before every word, so that a test decides when the next one comes. */
  readonly beforeWord?: (index: number, signal: AbortSignal) => Promise<void>;
  /** Awaited while loading; may throw. */
  readonly onLoad?: (model: LoadableModel, signal: AbortSignal | undefined) => Promise<void>;
}

export class ScriptedEngine implements Engine {
  readonly name = 'llama.cpp';
  /** Models in memory, and how many loads there were. */
  loaded = 0;
  loads = 0;
  readonly #options: ScriptedOptions;

  constructor(options: ScriptedOptions = {}) {
    this.#options = options;
  }

  describe(): Promise<string> {
    return Promise.resolve('scripted');
  }

  async load(model: LoadableModel, config: LoadConfig, options: LoadOptions = {}): Promise<ScriptedModel> {
    this.loads++;
    await this.#options.onLoad?.(model, options.signal);
    options.signal?.throwIfAborted();
    this.loaded++;
    return new ScriptedModel(config, this.#options, () => this.loaded--);
  }
}

export class ScriptedModel implements LoadedModel {
  readonly contextSize: number;
  readonly device = 'scripted';
  readonly inForce: LoadedConfig;
  readonly lost: Promise<Error>;
  /** Dies as an engine does that ran out of memory. */
  readonly crash: () => void;
  readonly #options: ScriptedOptions;
  #onClose: (() => void) | undefined;
  #crashed: ApiError | undefined;

  constructor(config: LoadConfig, options: ScriptedOptions, onClose: () => void) {
    this.contextSize = config.contextSize;
    this.inForce = {
      contextSize: config.contextSize,
      gpuLayers: config.gpuLayers ?? 0,
      threads: config.threads ?? 1,
      cacheTypeK: config.cacheTypeK ?? 'f16',
      cacheTypeV: config.cacheTypeV ?? 'f16',
      flashAttention: config.flashAttention ?? true,
    };
    this.#options = options;
    this.#onClose = onClose;
    let report: (error: Error) => void = () => undefined;
    this.lost = new Promise((resolve) => (report = resolve));
    this.crash = () => {
      this.#crashed = new ApiError('device_lost', 'The engine stopped.');
      report(this.#crashed);
    };
  }

  async *chat(request: ChatRequest, signal: AbortSignal): AsyncGenerator<ChatEvent, void, undefined> {
    const prompt = request.messages.map(messageText).join('\n');
    const promptTokens = prompt.split(/\s+/).length;
    if (promptTokens > this.contextSize) {
      throw new ApiError('context_length_exceeded', `The messages have ${promptTokens} tokens.`, {
        param: 'messages',
      });
    }
    const words = this.#options.reply?.(prompt) ?? ['Hello', ' there.'];
    const limit = request.max_completion_tokens ?? request.max_tokens ?? words.length;
    const reply = new ReplyText(stopTextsOf(request));
    let [said, completionTokens] = ['', 0];
    yield { type: 'prefill', processedTokens: promptTokens, totalTokens: promptTokens };
    for (const [index, word] of words.slice(0, limit).entries()) {
      await this.#options.beforeWord?.(index, signal);
      signal.throwIfAborted();
      if (this.#crashed) throw this.#crashed;
      said += word;
      completionTokens++;
      const text = reply.advance(said);
      if (text !== '') yield { type: 'text', text };
      if (reply.stopped) break;
    }
    const rest = reply.end(said);
    if (rest !== '') yield { type: 'text', text: rest };
    yield {
      type: 'finish',
      reason: limit < words.length && !reply.stopped ? 'length' : 'stop',
      usage: { promptTokens, cachedTokens: 0, completionTokens },
      timings: { prefillTokens: promptTokens, prefillMs: 1, decodeTokens: completionTokens, decodeMs: 1 },
    };
  }

  close(): Promise<void> {
    this.#onClose?.();
    this.#onClose = undefined;
    return Promise.resolve();
  }
}
