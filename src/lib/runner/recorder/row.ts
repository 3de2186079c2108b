/** The row of a whole record. */
import type { RequestJson, RequestRowJson } from '#lib/model/wire-requests.ts';

export function rowOf(record: RequestJson): RequestRowJson {
  const {
    method: _method,
    request_headers: _requestHeaders,
    request_body: _requestBody,
    parameters: _parameters,
    parameters_in_force: _parametersInForce,
    rendered_prompt: _renderedPrompt,
    response_headers: _responseHeaders,
    answer: _answer,
    reasoning: _reasoning,
    response_body: _responseBody,
    pieces: _pieces,
    cut_pieces: _cutPieces,
    frames: _frames,
    error: _error,
    device: _device,
    replay_of: _replayOf,
    ...row
  } = record;
  return row;
}
