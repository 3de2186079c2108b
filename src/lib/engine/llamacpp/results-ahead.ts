/**
 * The calls of our own builds: many may wait in the worker at once, since an exception is the answer of its call. While an
 * answer is being written its next piece is asked for before the last one is read, so that the engine never waits for a
 * message to travel.
 */
import * as v from 'valibot';
import { NativeException } from './faults.ts';

type Act = (action: string, body: unknown) => Promise<unknown>;

const failure = v.object({ _name: v.literal('erro_evt'), message: v.string() });
const ofRequest = v.object({ req_id: v.number() });
/** While a prompt is read, which may be long, asking ahead would delay a cancel. */
const ofPrompt = /^$|^null$|"prompt_progress"/;

const goesOn = v.object({
  has_more: v.literal(true),
  is_error: v.literal(false),
  data_json: v.pipe(
    v.string(),
    v.check((text) => !ofPrompt.test(text)),
  ),
});

/** `act` sends one call to the worker, which takes them in the order of their coming. */
export function askAhead(act: Act): Act {
  const ahead = new Map<number, Promise<unknown>>();
  return async (action, body) => {
    const id = v.is(ofRequest, body) ? body.req_id : undefined;
    const asked = id === undefined ? undefined : ahead.get(id);
    if (id !== undefined) ahead.delete(id);
    const result = await (action === 'get_result' && asked ? asked : act(action, body));
    if (v.is(failure, result)) throw new NativeException(result.message);
    if (action === 'get_result' && id !== undefined && v.is(goesOn, result)) {
      const next = act(action, body);
      // Whoever reads it is told; nobody reads it after a cancel.
      next.catch(() => undefined);
      ahead.set(id, next);
    }
    return result;
  };
}
