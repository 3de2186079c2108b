/** Local models and the desk they lie on, for component tests. */
import { vi } from 'vitest';
import { ManualClock } from '#lib/core/clock.ts';
import { Catalog } from '#lib/state/catalog.svelte.ts';
import { LiveFeed } from '#lib/state/feed.svelte.ts';
import { ModelDesk } from '#lib/state/model-desk.svelte.ts';
import { Models, type LocalModel } from '#lib/state/models.svelte.ts';
import { Tasks } from '#lib/state/tasks.svelte.ts';
import { json, ScriptedClient } from '#lib/state/testing/scripted-client.ts';
import { digestOf } from '#lib/state/testing/wire-samples.ts';
import { Toasts } from '#lib/state/toasts.svelte.ts';

export function localSample(changes: Partial<LocalModel> = {}): LocalModel {
  return {
    id: digestOf(1),
    reference: 'docker.io/ai/smollm2:latest',
    tags: ['docker.io/ai/smollm2:latest'],
    title: 'SmolLM2',
    parameters: '360M',
    quantization: 'Q4_K_M',
    contextSize: 8192,
    sizeBytes: 271_000_000,
    createdMs: 0,
    runner: undefined,
    ...changes,
  };
}

export function deskSample() {
  const client = new ScriptedClient();
  const clock = new ManualClock();
  const feed = new LiveFeed({ client, clock, onLost: () => undefined });
  const catalog = new Catalog({ fetch: () => Promise.resolve(json([])), appHost: 'localhost' });
  const models = new Models({ client, feed, catalog });
  const tasks = new Tasks({ onEnd: vi.fn() });
  const toasts = new Toasts({ clock });
  return { client, tasks, toasts, desk: new ModelDesk({ client, models, tasks, toasts }) };
}
