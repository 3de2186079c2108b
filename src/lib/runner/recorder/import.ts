/** Records from a file, one JSON object per line, as the export writes them. */
import type { RequestImportJson, RequestJson } from '#lib/model/wire-requests.ts';
import { parseRecord } from './parse.ts';
import { isEnd } from './state-clock.ts';

export interface ImportPorts {
  readonly isKnown: (id: string) => boolean;
  /** Resolves when they are kept. */
  readonly put: (records: readonly RequestJson[]) => Promise<void>;
}

/** Records in memory at once. */
const batchSize = 20;

/** A line that is not readable is counted and left out, the others are taken. */
export async function importLines(
  lines: AsyncIterable<string>,
  { isKnown, put }: ImportPorts,
): Promise<RequestImportJson> {
  let [imported, known, refused] = [0, 0, 0];
  const batch = new Map<string, RequestJson>();
  const flush = async () => {
    await put([...batch.values()]);
    imported += batch.size;
    batch.clear();
  };
  for await (const line of lines) {
    if (line.trim() === '') continue;
    const record = parseLine(line);
    if (!record) refused++;
    else if (isKnown(record.id) || batch.has(record.id)) known++;
    else batch.set(record.id, asImported(record));
    if (batch.size >= batchSize) await flush();
  }
  if (batch.size > 0) await flush();
  return { imported, known, refused };
}

/** It was answered elsewhere: nobody here will finish it. */
function asImported(record: RequestJson): RequestJson {
  const sizeBytes = JSON.stringify(record).length;
  return {
    ...record,
    state: isEnd(record.state) ? record.state : 'lost',
    size_bytes: sizeBytes,
    imported: true,
    // The frames hold it already.
    ...(record.frames.length > 0 && { response_body: { ...record.response_body, text: '' } }),
  };
}

function parseLine(line: string): RequestJson | undefined {
  try {
    return parseRecord(JSON.parse(line));
  } catch {
    return undefined;
  }
}
