/** POST /engines/v1/rerank, also /rerank and /score: documents in the order of what they have to do with a query. */
import { ignoredRerankFields, parseRerankRequest, writeRanking } from '#lib/openai/rerank.ts';
import { requireAbility } from '#lib/runner/chat/abilities.ts';
import type { Recording } from '#lib/runner/recorder/recording.ts';
import type { Call } from '#lib/runner/router.ts';
import { warningOf, withHeaders } from './answer.ts';
import { onceOnModel, subjectOf, type GenerationPorts } from './generation.ts';
import { json } from './respond.ts';

export async function rerank(call: Call, recording: Recording, ports: GenerationPorts): Promise<Response> {
  const body = await call.json();
  recording.asked(body);
  const request = parseRerankRequest(body);
  const { abilities, wanted } = await subjectOf(request.model, 'reranking', ports);
  requireAbility(abilities, 'rerank', 'model');
  const { query, documents } = request;
  const parameters = { top_n: request.top_n };
  const turn = { ports, recording, wanted, parameters, signal: call.request.signal };
  const { scores, promptTokens } = await onceOnModel(turn, (model) =>
    model.rerank({ query, documents }, turn.signal),
  );
  return withHeaders(json(writeRanking(request, scores, promptTokens)), warningOf(ignoredRerankFields(body)));
}
