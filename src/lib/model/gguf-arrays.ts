/** The long arrays of a GGUF header, which `parseGgufHeader` keeps the beginning of: vocabularies, values by layer. */
import type { GgufHeader } from './gguf.ts';
import { GgufCursor, type GgufArray, type GgufScalar } from './gguf-cursor.ts';

const arrayType = 9;
const textType = 8;

/**
 * Those of `keys` that are arrays of scalars, whole, in the shape that the header has them in: laid over its metadata
 * they complete it. `header` is that of the same blob, so that the bytes are known to be sound.
 */
export async function readGgufArrays(
  blob: Blob,
  { dataOffset }: Pick<GgufHeader, 'dataOffset'>,
  keys: ReadonlySet<string>,
): Promise<ReadonlyMap<string, GgufArray>> {
  const cursor = new GgufCursor(new Uint8Array(await blob.slice(0, dataOffset).arrayBuffer()));
  cursor.skip(4 + 4 + 8);
  const entries = cursor.count(Number.MAX_SAFE_INTEGER, 'metadata entries');
  const arrays = new Map<string, GgufArray>();
  for (let index = 0; index < entries && arrays.size < keys.size; index++) {
    const key = cursor.text();
    const type = cursor.u32();
    const items = keys.has(key) && type === arrayType ? readItems(cursor) : void cursor.value(type);
    if (items) arrays.set(key, { count: items.length, items });
  }
  return arrays;
}

function readItems(cursor: GgufCursor): GgufScalar[] {
  const type = cursor.u32();
  const count = cursor.count(Number.MAX_SAFE_INTEGER, 'array items');
  // Checked before anything is reserved for them; of an array of arrays the header has none either.
  cursor.require(count);
  const items: GgufScalar[] = [];
  for (let index = 0; index < count; index++) {
    const item = type === textType ? cursor.text() : cursor.value(type);
    if (typeof item !== 'object' || 'float' in item) items.push(item);
  }
  return items;
}
