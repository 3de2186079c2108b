/** A consumer in a worker of its own, so that tests can kill it while it reads. Its name is the scope. */
import { callHost } from '#lib/bridge/call.ts';

const response = await callHost(new Request(`${self.location.origin}/v1/tokens`), { scope: self.name });
const reader = response.body?.getReader();
await reader?.read();
self.postMessage('reading');
while (!(await reader?.read())?.done);
