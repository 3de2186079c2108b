/** Compares lines with a regular expression, in a thread that may be stopped: an expression may take for ever. */
import { expressionPattern, findSpans, type LogPattern } from './log-query.ts';

addEventListener('message', ({ data }: MessageEvent<{ pattern: LogPattern; texts: readonly string[] }>) => {
  const pattern = expressionPattern(data.pattern);
  postMessage(data.texts.map((text) => findSpans(pattern, text)));
});
