/** What is kept in memory of every record: its row and the start of the text that a search looks through. */
import * as v from 'valibot';
import type { RequestRowJson } from '#lib/model/wire-requests.ts';
import { parseRow } from './parse.ts';
import { keepText } from './texts.ts';

export interface Entry {
  readonly row: RequestRowJson;
  /** In lower case. */
  readonly text: string;
  /** Whether `text` is all of it; else the rest is on the disk. */
  readonly whole: boolean;
  /** Keys of the media that its record shares with others. */
  readonly media?: readonly string[] | undefined;
}

/** 10 000 of them are 40 MB at most. */
const maxTextChars = 4096;

export function makeEntry(row: RequestRowJson, searchText: string): Entry {
  const { text, cut_chars: cut } = keepText(searchText, maxTextChars);
  return { row, text: text.toLowerCase(), whole: cut === undefined };
}

const stored = v.object({
  row: v.unknown(),
  text: v.string(),
  whole: v.boolean(),
  media: v.optional(v.array(v.string())),
});

/** `undefined` for what another version wrote and this one cannot read. */
export function parseEntry(value: unknown): Entry | undefined {
  const parsed = v.safeParse(stored, value);
  const row = parsed.success ? parseRow(parsed.output.row) : undefined;
  return parsed.success && row ? { ...parsed.output, row } : undefined;
}
