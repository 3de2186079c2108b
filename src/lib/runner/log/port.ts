/** Where log lines outlive the tab, in batches of consecutive lines; a batch is known by the number of its first line. */

export interface LogStore {
  /** As they were put, the oldest first: the reader judges them. */
  batches(): Promise<readonly (readonly [first: number, lines: unknown])[]>;
  put(first: number, lines: unknown): Promise<void>;
  /** Idempotent. */
  remove(firsts: readonly number[]): Promise<void>;
  clear(): Promise<void>;
}
