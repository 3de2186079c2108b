/** POST /engines/v1/completions: raw prompts, each answered `n` times. */
import { CompletionWriter } from '#lib/openai/completion-writer.ts';
import { ignoredCompletionFields, parseCompletionRequest } from '#lib/openai/completion.ts';
import type { ChatEvent } from '#lib/openai/events.ts';
import { requireAbility } from '#lib/runner/chat/abilities.ts';
import { answerChoices, seedOf } from '#lib/runner/chat/choices.ts';
import { withSampling } from '#lib/runner/chat/sampling-defaults.ts';
import type { Recording } from '#lib/runner/recorder/recording.ts';
import type { Call } from '#lib/runner/router.ts';
import { respond } from './answer.ts';
import { onModel, subjectOf, type GenerationPorts } from './generation.ts';

export async function completions(
  call: Call,
  recording: Recording,
  ports: GenerationPorts,
): Promise<Response> {
  const body = await call.json();
  recording.asked(body);
  const request = parseCompletionRequest(body);
  return respond(call, {
    form: request.stream ? 'stream' : 'whole',
    events: (signal) => completionEvents(request, recording, ports, signal),
    writer: () => new CompletionWriter({ request, prompts: request.prompts, nowMs: ports.clock.now() }),
    ignored: ignoredCompletionFields(body),
    clock: ports.clock,
  });
}

async function* completionEvents(
  request: ReturnType<typeof parseCompletionRequest>,
  recording: Recording,
  ports: GenerationPorts,
  signal: AbortSignal,
): AsyncGenerator<ChatEvent, void, undefined> {
  const { settings, abilities, wanted } = await subjectOf(request.model, 'completion', ports);
  requireAbility(abilities, 'chat', 'model');
  if (request.suffix) requireAbility(abilities, 'fim', 'suffix');
  const {
    n,
    prompts,
    prompt: _prompt,
    echo: _echo,
    best_of: _best,
    ...filled
  } = withSampling(request, settings);
  const { model: _name, ...parameters } = filled;
  yield* onModel({ ports, recording, wanted, parameters, signal }, (model) => {
    const answer = (prompt: number, repeat: number) => {
      const asked = { ...filled, prompt: prompts[prompt] ?? '', seed: seedOf(filled.seed, repeat) };
      return model.complete(asked, signal);
    };
    return recording.observe(answerChoices({ prompts: prompts.length, perPrompt: n ?? 1 }, answer));
  });
}
