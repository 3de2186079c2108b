/**
 * The service worker: hands API requests to the runner and keeps the app's shell for offline use. It owns nothing and may
 * die at any moment. It never skips waiting by itself, because Chromium kills the streams of a replaced one after 300 s.
 */
import { build, files, prerendered, version } from '$service-worker';
import { createHandlerBoundToURL, precacheAndRoute } from 'workbox-precaching';
import { NavigationRoute, registerRoute } from 'workbox-routing';
import { gateway } from '#lib/bridge/gateway.ts';
import { destinationOf } from '#lib/bridge/paths.ts';
import { parseWorkerCommand } from '#lib/bridge/worker-command.ts';
import { EngineCache } from './engine-cache.ts';
import { isEngineFile, pageUrl, precacheEntries } from './shell.ts';

declare const self: ServiceWorkerGlobalScope;

const engines = new EngineCache({ version, engineFiles: [...build, ...files].filter(isEngineFile) });

// Before Workbox, whose listener sees only what is the app's own.
self.addEventListener('fetch', (event) => {
  const { request } = event;
  const destination = destinationOf(request, self.location.origin);
  if (destination === 'app') return;
  event.stopImmediatePropagation();
  if (destination === 'runner') event.respondWith(gateway(request));
});

self.addEventListener('activate', (event) => {
  event.waitUntil(Promise.all([engines.sweep(), self.clients.claim()]));
});

self.addEventListener('message', (event) => {
  const command = parseWorkerCommand(event.data);
  if (command?.type === 'claim') event.waitUntil(self.clients.claim());
  if (command?.type === 'skip-waiting') event.waitUntil(self.skipWaiting());
});

const shell = precacheEntries({ build, files, prerendered, version });
precacheAndRoute(shell);
// After the precache, which has the files of the workers that pages start.
registerRoute(({ url, sameOrigin }) => sameOrigin && isEngineFile(url.pathname), {
  handle: ({ request }) => engines.respond(request),
});
if (shell.length > 0) registerRoute(new NavigationRoute(createHandlerBoundToURL(pageUrl)));
