/** A line as Docker Model Runner writes it: a bracketed time, then an engine's own words or `key=value` pairs. */
import type { LogLineJson } from '#lib/model/wire-requests.ts';

export function textLine({
  time_ms: timeMs,
  level,
  source,
  component,
  message,
  fields = {},
}: LogLineJson): string {
  const time = new Date(timeMs).toISOString();
  if (source === 'engine') return `[${time}] ${message}\n`;
  const pairs = Object.entries({ time, level: level.toUpperCase(), msg: message, component, ...fields });
  return `[${time}] ${pairs.map(([name, value]) => `${name}=${quoted(value)}`).join(' ')}\n`;
}

function quoted(value: string | number | boolean): string {
  if (typeof value !== 'string') return String(value);
  return /^[^\s"=]+$/.test(value) ? value : JSON.stringify(value);
}
