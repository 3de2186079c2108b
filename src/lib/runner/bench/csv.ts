/** Results as a table for other programs: one test a row, named as llama-bench names them. */
import type { BenchResultJson, FigureJson } from '#lib/model/wire-bench.ts';

const columns = 'date,model,model_id,engine,device,adapter,version,test,unit,mean,sd,repetitions';

export function benchCsv(results: readonly BenchResultJson[]): string {
  return [columns, ...results.flatMap(rowsOf)].map((row) => `${row}\r\n`).join('');
}

function rowsOf(result: BenchResultJson): readonly string[] {
  const { prompt, generation, first_token, parallel } = result;
  const cold = { mean: first_token.cold_ms, sd: 0, samples: [first_token.cold_ms] };
  const tests: readonly (readonly [name: string, unit: string, figure: FigureJson])[] = [
    [`pp${prompt.tokens}`, 'tokens/s', prompt.per_second],
    [`tg${generation.tokens}`, 'tokens/s', generation.per_second],
    ['first token, cold', 'ms', cold],
    ['first token, warm', 'ms', first_token.warm_ms],
    ...parallel.map(({ requests, per_second }) => [`parallel ${requests}`, 'tokens/s', per_second] as const),
  ];
  const { date_ms, model, model_id, engine, device, adapter = '', version } = result;
  const head = [new Date(date_ms).toISOString(), model, model_id, engine, device, adapter, version];
  return tests.map(([name, unit, { mean, sd, samples }]) =>
    [...head, name, unit, mean.toFixed(3), sd.toFixed(3), String(samples.length)].map(cell).join(','),
  );
}

/** A cell that a spreadsheet would take for a formula begins with an apostrophe. */
function cell(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
