/** The result as a promise; what is thrown becomes a rejection, as in a store that really waits. */
export function attempt<T>(work: () => T): Promise<T> {
  return new Promise((resolve) => resolve(work()));
}
