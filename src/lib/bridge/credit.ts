/** How many bytes may be under way before the producer waits; BroadcastChannel itself has no back-pressure. */
export class CreditWindow {
  #leftBytes: number;
  #lifted = false;
  #wake: () => void = () => undefined;

  constructor(windowBytes: number) {
    this.#leftBytes = windowBytes;
  }

  spend(sizeBytes: number): void {
    this.#leftBytes -= sizeBytes;
  }

  add(sizeBytes: number): void {
    this.#leftBytes += sizeBytes;
    this.#wake();
  }

  /** Nobody waits any more: the consumer is gone. */
  lift(): void {
    this.#lifted = true;
    this.#wake();
  }

  /** Resolves when something may be sent. One producer at a time. */
  async ready(): Promise<void> {
    while (this.#leftBytes <= 0 && !this.#lifted) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
