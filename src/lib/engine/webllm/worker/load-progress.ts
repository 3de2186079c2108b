/** WebLLM counts to 1 twice: for the weights, then for the shaders. */

/** Of the time, on most GPUs. */
const weightsShare = 0.7;

export class LoadProgress {
  #phase: 'weights' | 'shaders' = 'weights';
  #last = 0;
  #fraction = 0;

  /** The whole load so far, 0 to 1, never backwards. */
  add(fraction: number): number {
    // Nothing by nothing, at the start.
    if (!Number.isFinite(fraction)) return this.#fraction;
    if (fraction < this.#last) this.#phase = 'shaders';
    this.#last = fraction;
    const whole =
      this.#phase === 'weights' ? fraction * weightsShare : weightsShare + fraction * (1 - weightsShare);
    this.#fraction = Math.min(1, Math.max(this.#fraction, whole));
    return this.#fraction;
  }
}
