/** A runner in a worker of its own, so that tests can kill it. Its name is `<scope> <engineId>`. */
import { serveRequests } from '#lib/bridge/serve.ts';
import { tokenStream } from './token-stream.ts';

const [scope = '', engineId = ''] = self.name.split(' ');

await serveRequests({
  scope,
  engineId,
  worker: self,
  handle: (request) => {
    const { pathname } = new URL(request.url);
    if (pathname === '/v1/die') self.close();
    if (pathname === '/v1/die' || pathname === '/v1/hang') return new Promise(() => undefined);
    if (pathname === '/v1/bytes')
      return Promise.resolve(tokenStream(request.signal, 'application/octet-stream'));
    return Promise.resolve(tokenStream(request.signal));
  },
});
