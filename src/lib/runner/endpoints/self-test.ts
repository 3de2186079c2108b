/** /_sampan/self-test: what this browser can compute with, and whether it computes correctly. */
import type { SelfTestLine, SelfTestStateJson } from '#lib/model/wire-self-test.ts';
import type { Route } from '#lib/runner/router.ts';
import type { SelfTest } from '#lib/runner/self-test/self-test.ts';
import { lineResponse, plainLines } from './lines.ts';
import { json } from './respond.ts';

const path = '/_sampan/self-test';

export function selfTestRoutes(selfTest: SelfTest): readonly Route[] {
  return [
    { method: 'GET', pattern: path, handle: async () => json(await stateOf(selfTest)) },
    {
      method: 'POST',
      pattern: path,
      handle: (call) =>
        lineResponse<SelfTestLine>(call, plainLines, {
          run: (tell, signal) => selfTest.run(tell, signal),
          // Only a result that cannot be kept fails after the first line; it was told before.
          failed: (error) => ({
            type: 'engine',
            result: { engine: 'sampan', verdict: 'failed', detail: error.message },
          }),
        }),
    },
  ];
}

async function stateOf(selfTest: SelfTest): Promise<SelfTestStateJson> {
  const probe = await selfTest.probe();
  return { probe, last: (await selfTest.last(probe)) ?? null };
}
