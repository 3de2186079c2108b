/** Work once per animation frame, also in a tab that is not painted. */

export interface Frames {
  /** Calls `callback` once, soon: before the next paint, or after a quarter second where nothing is painted. */
  next(callback: () => void): void;
}

const hiddenMs = 250;

export const browserFrames: Frames = {
  next(callback) {
    const run = () => {
      cancelAnimationFrame(frame);
      clearTimeout(timer);
      callback();
    };
    const frame = requestAnimationFrame(run);
    // A hidden tab gets no frames, and its answer must still be kept.
    const timer = setTimeout(run, hiddenMs);
  },
};

/** A function that can be called for every token and runs `work` once per frame. */
export function oncePerFrame(frames: Frames, work: () => void): () => void {
  let waiting = false;
  return () => {
    if (waiting) return;
    waiting = true;
    frames.next(() => {
      waiting = false;
      work();
    });
  };
}
