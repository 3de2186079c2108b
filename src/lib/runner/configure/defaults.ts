/** Fills a chat request with what the model's settings say, where the request says nothing itself. */
import type { EngineName } from '#lib/engine/port.ts';
import type { ModelSettingsJson } from '#lib/model/wire.ts';
import type { ChatRequest } from '#lib/openai/chat.ts';

/** Leaves out what the engine would refuse: WebLLM samples without these. */
export function settingsFor(engine: EngineName | undefined, settings: ModelSettingsJson): ModelSettingsJson {
  if (engine !== 'webllm') return settings;
  const { top_k: _k, min_p: _p, ...others } = settings;
  return others;
}

export function withDefaults(request: ChatRequest, settings: ModelSettingsJson): ChatRequest {
  const { temperature, top_p, top_k, min_p, repeat_penalty, presence_penalty, frequency_penalty, seed } =
    settings;
  const sampling = {
    temperature,
    top_p,
    top_k,
    min_p,
    repeat_penalty,
    presence_penalty,
    frequency_penalty,
    seed,
  };
  const limited = request.max_tokens ?? request.max_completion_tokens;
  return {
    ...request,
    ...Object.fromEntries(
      Object.entries(sampling).filter(
        ([key, value]) =>
          value !== undefined && (request[key as keyof ChatRequest] ?? undefined) === undefined,
      ),
    ),
    ...(limited === null || limited === undefined ? { max_tokens: settings.max_tokens } : {}),
    messages: withSystemPrompt(request.messages, settings.system_prompt),
    chat_template_kwargs: withThinking(request.chat_template_kwargs, settings),
  };
}

function withSystemPrompt(
  messages: ChatRequest['messages'],
  prompt: string | undefined,
): ChatRequest['messages'] {
  const hasOne = messages.some(({ role }) => role === 'system' || role === 'developer');
  return prompt === undefined || prompt === '' || hasOne
    ? messages
    : [{ role: 'system', content: prompt }, ...messages];
}

/** Templates of models that think ask for `enable_thinking`; all others ignore it. A budget of nothing is an off switch. */
function withThinking(
  given: ChatRequest['chat_template_kwargs'],
  { think, think_budget: budget }: ModelSettingsJson,
): ChatRequest['chat_template_kwargs'] {
  const wanted = budget === 0 ? false : think;
  return wanted === undefined ? given : { enable_thinking: wanted, ...given };
}
