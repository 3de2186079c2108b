/** What pages post to the service worker. */
import * as v from 'valibot';

const workerCommand = v.variant('type', [
  /** Control the pages that a hard reload left uncontrolled. */
  v.object({ type: v.literal('claim') }),
  /** Replace the active version; a person agreed and nothing is under way. */
  v.object({ type: v.literal('skip-waiting') }),
]);

export type WorkerCommand = v.InferOutput<typeof workerCommand>;

/** `undefined` for what this version does not know; it is to be ignored. */
export function parseWorkerCommand(data: unknown): WorkerCommand | undefined {
  const result = v.safeParse(workerCommand, data);
  return result.success ? result.output : undefined;
}
