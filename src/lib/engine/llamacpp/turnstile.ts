/** Lets one piece of asynchronous work through at a time, in the order of their coming. */

export class Turnstile {
  #last: Promise<unknown> = Promise.resolve();

  /** What becomes of one is nothing to those behind it. */
  pass<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work);
    this.#last = turn.catch(() => undefined);
    return turn;
  }
}
