/** Where request records outlive the tab. What is given back is as it was put: the reader judges it. */

export interface StoredRequest {
  /** Sorts by time. */
  readonly id: string;
  /** What lists and searches need; all of these are read at the start. */
  readonly entry: unknown;
  /** The whole record, read one at a time. */
  readonly record: unknown;
}

/** Something large that several records share, by its digest. */
export interface StoredMedia {
  readonly key: string;
  readonly text: string;
}

export interface RequestStore {
  /** Every entry, in the order of their ids. */
  entries(): Promise<readonly unknown[]>;
  /** The record of an id; `undefined` when there is none. */
  get(id: string): Promise<unknown>;
  /** The text of a media key; `undefined` when there is none. */
  media(key: string): Promise<unknown>;
  /** All of them or none, each in place of what had its id or key. Values must be structured-cloneable. */
  put(requests: readonly StoredRequest[], media?: readonly StoredMedia[]): Promise<void>;
  /** Idempotent. */
  remove(ids: readonly string[], mediaKeys?: readonly string[]): Promise<void>;
  clear(): Promise<void>;
}

/** Whether to record and how much, as somebody chose it. */
export interface RequestSettingsStore {
  load(): Promise<unknown>;
  save(settings: unknown): Promise<void>;
}
