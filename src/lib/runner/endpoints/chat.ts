/** POST /engines/v1/chat/completions: validated, scheduled, streamed or gathered. */
import { ChatWriter } from '#lib/openai/chat-writer.ts';
import { ignoredFields, parseChatRequest, type ChatRequest } from '#lib/openai/chat.ts';
import type { ChatEvent } from '#lib/openai/events.ts';
import { requireForChat } from '#lib/runner/chat/abilities.ts';
import { answerChoices, seedOf } from '#lib/runner/chat/choices.ts';
import { withEffort } from '#lib/runner/chat/effort.ts';
import { planChat } from '#lib/runner/chat/forced.ts';
import { splitReasoning } from '#lib/runner/chat/reasoning.ts';
import { withDefaults } from '#lib/runner/configure/defaults.ts';
import type { Recording } from '#lib/runner/recorder/recording.ts';
import type { Call } from '#lib/runner/router.ts';
import { respond } from './answer.ts';
import { onModel, subjectOf, type GenerationPorts } from './generation.ts';

export async function chatCompletions(
  call: Call,
  recording: Recording,
  ports: GenerationPorts,
): Promise<Response> {
  const body = await call.json();
  recording.asked(body);
  const request = parseChatRequest(body);
  return respond(call, {
    form: request.stream ? 'stream' : 'whole',
    events: (signal) => chatEvents(request, recording, ports, signal),
    writer: () => new ChatWriter(request, ports.clock.now()),
    ignored: ignoredFields(body),
    clock: ports.clock,
  });
}

/** With `n`, the answers come one after another. */
async function* chatEvents(
  request: ChatRequest,
  recording: Recording,
  ports: GenerationPorts,
  signal: AbortSignal,
): AsyncGenerator<ChatEvent, void, undefined> {
  const { settings, abilities, wanted } = await subjectOf(request.model, 'completion', ports);
  requireForChat(abilities, request);
  const { n, ...filled } = withDefaults(withEffort(request), settings);
  const plan = planChat(filled, abilities);
  const { model: _name, messages: _said, ...parameters } = filled;
  yield* onModel({ ports, recording, wanted, parameters, signal }, (model) => {
    const answer = (_prompt: number, repeat: number) => {
      const asked = { ...plan.request, seed: seedOf(plan.request.seed, repeat) };
      return plan.read(splitReasoning(model.chat(asked, signal)));
    };
    return recording.observe(answerChoices({ prompts: 1, perPrompt: n ?? 1 }, answer));
  });
}
