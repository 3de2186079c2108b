/** The life of one engine worker: whether it still lives, and its end. */
import type { Wllama } from '@wllama/wllama';
import { lostFault } from './faults.ts';
import { tapWorker, type TapOptions } from './worker-tap.ts';

export interface Life {
  /** Resolves when the worker runs its WebAssembly. */
  readonly started: Promise<void>;
  /** Resolves when the worker dies by itself. */
  readonly lost: Promise<Error>;
  /** A call failed as calls to a dead engine do. */
  readonly reportLoss: (cause: unknown) => void;
  /** Ends the worker, on purpose; idempotent. */
  readonly end: () => Promise<void>;
}

/** A dead worker answers nothing, so whoever waits for it is told by `exit`. */
export function watchOver(
  wllama: Wllama,
  options: Pick<TapOptions, 'locks' | 'clock' | 'log' | 'isOwn'>,
): Life {
  let report: (error: Error) => void = () => undefined;
  const lost = new Promise<Error>((resolve) => (report = resolve));
  const onDeath = () => {
    report(lostFault());
    void wllama.exit();
  };
  const { stop, started } = tapWorker(wllama, { ...options, onDeath });
  let ended = false;
  return {
    started,
    lost,
    reportLoss: (cause) => {
      if (!ended) report(lostFault(cause));
    },
    end: async () => {
      ended = true;
      stop();
      await wllama.exit();
    },
  };
}
