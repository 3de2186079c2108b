/** POST /engines/v1/embeddings: one vector an input. A model that chats makes them too, as in llama.cpp. */
import { ignoredEmbeddingsFields, parseEmbeddingsRequest, writeEmbeddings } from '#lib/openai/embeddings.ts';
import { requireAbility } from '#lib/runner/chat/abilities.ts';
import type { Recording } from '#lib/runner/recorder/recording.ts';
import type { Call } from '#lib/runner/router.ts';
import { warningOf, withHeaders } from './answer.ts';
import { onceOnModel, subjectOf, type GenerationPorts } from './generation.ts';
import { json } from './respond.ts';

export async function embeddings(
  call: Call,
  recording: Recording,
  ports: GenerationPorts,
): Promise<Response> {
  const body = await call.json();
  recording.asked(body);
  const request = parseEmbeddingsRequest(body);
  const { abilities, wanted } = await subjectOf(request.model, 'embedding', ports);
  if (!abilities.chat) requireAbility(abilities, 'embedding', 'model');
  const { model: _name, inputs, ...parameters } = request;
  const turn = { ports, recording, wanted, parameters, signal: call.request.signal };
  const { vectors, promptTokens } = await onceOnModel(turn, (model) => model.embed(inputs, turn.signal));
  const answer = writeEmbeddings(request, vectors, promptTokens);
  return withHeaders(json(answer), warningOf(ignoredEmbeddingsFields(body)));
}
