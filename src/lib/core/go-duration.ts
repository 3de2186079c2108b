/** Durations as Go writes and reads them, which Docker Model Runner and Ollama use for keep-alive: "5m", "1h30m", "0", "-1". */

const unitsMs: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

const part = /(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)/y;

/** Milliseconds; `Infinity` for a negative duration, which means never; `undefined` for what is none. */
export function parseGoDuration(text: string): number | undefined {
  const negative = text.startsWith('-');
  const body = /^[+-]/.test(text) ? text.slice(1) : text;
  const ms = body === '0' || (negative && /^\d+$/.test(body)) ? Number(body) : sumOfParts(body);
  if (ms === undefined) return undefined;
  return negative && ms > 0 ? Infinity : ms;
}

/** "5m0s" as Go prints it; "-1" for never. */
export function formatGoDuration(ms: number): string {
  if (ms === Infinity) return '-1';
  if (ms === 0) return '0s';
  if (ms < 1000) return `${ms}ms`;
  const hours = Math.floor(ms / 3_600_000);
  const minutes = Math.floor((ms % 3_600_000) / 60_000);
  const seconds = (ms % 60_000) / 1000;
  return [hours > 0 ? `${hours}h` : '', hours > 0 || minutes > 0 ? `${minutes}m` : '', `${seconds}s`].join(
    '',
  );
}

function sumOfParts(body: string): number | undefined {
  let ms = 0;
  let at = 0;
  while (at < body.length) {
    part.lastIndex = at;
    const [matched, amount, unit] = part.exec(body) ?? [];
    if (matched === undefined || amount === undefined || unit === undefined) return undefined;
    ms += Number(amount) * (unitsMs[unit] ?? 0);
    at += matched.length;
  }
  return body === '' ? undefined : ms;
}
