/** A response of one JSON value a line, value by value, as the long operations of the API answer. */
import { ApiError } from '#lib/core/errors.ts';
import { parseJson } from './client.ts';

/** The boundary: the runner is this same build, so the path settles the shape of a line. Lines that are no JSON are left out. */
export async function* jsonLines<Line>(response: Response): AsyncGenerator<Line, void, undefined> {
  if (!response.body) throw new ApiError('internal', 'The engine sent an answer without a body. Try again.');
  let rest = '';
  for await (const text of response.body.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) yield* parsed<Line>(line);
  }
  yield* parsed<Line>(rest);
}

function* parsed<Line>(line: string): Generator<Line, void, undefined> {
  const value = parseJson(line);
  if (typeof value === 'object' && value !== null) yield value as Line;
}
