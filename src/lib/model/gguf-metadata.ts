/** A GGUF header for people: every key with its type and its value, or the beginning of it. */
import type { GgufHeader } from './gguf.ts';
import type { GgufScalar, GgufValue } from './gguf-cursor.ts';
import { wireScalar } from './gguf-wire.ts';
import type { MetadataJson } from './wire.ts';

type MetadataEntry = MetadataJson['entries'][number];

const maxValueLength = 4096;

/** In the order of the file. Texts are cut at 4096 characters, arrays at 50 items or as many characters. */
export function ggufMetadata({ metadata, types }: GgufHeader): MetadataJson {
  return { entries: [...metadata].map(([key, value]) => entry(key, types.get(key) ?? 'unknown', value)) };
}

function entry(key: string, type: string, value: GgufValue): MetadataEntry {
  if (typeof value !== 'object' || 'float' in value)
    return { key, type, value: cut(scalarText(value, type)) };
  const { count, items } = value;
  const more = items.length < count ? ['…'] : [];
  return {
    key,
    type,
    value: cut([...items.map((item) => scalarText(item, type)), ...more].join(', ')),
    count,
  };
}

/** As many digits as the type holds; Docker Model Runner's spelling would turn 1e-7 into 0.000000. */
function scalarText(value: GgufScalar, type: string): string {
  if (typeof value !== 'object') return wireScalar(value);
  return String(Number(value.float.toPrecision(type.endsWith('float64') ? 15 : 7)));
}

/** Never between the halves of a character. */
function cut(text: string): string {
  if (text.length <= maxValueLength) return text;
  return `${text.slice(0, maxValueLength - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}
