/** POST /models/{ref}/push: sends a stored model to the registry that its name says, with progress lines. */
import type { Digest } from '#lib/core/digest.ts';
import { ApiError } from '#lib/core/errors.ts';
import type { Clock } from '#lib/core/clock.ts';
import { isModelId, parseReference, type Reference } from '#lib/model/reference.ts';
import type { ProgressJson } from '#lib/model/wire.ts';
import type { Library } from '#lib/runner/library/library.ts';
import type { Pins } from '#lib/runner/library/pins.ts';
import type { Call } from '#lib/runner/router.ts';
import type { PushableModel, Registry } from '#lib/registry/port.ts';
import type { IndexedModel } from '#lib/store/port.ts';
import { credentialsOf, parseBody, signIn } from './body.ts';
import { lineResponse, progressFormat } from './lines.ts';

export interface PushPorts {
  readonly library: Library;
  readonly registry: Registry;
  readonly pins: Pins;
  readonly clock: Clock;
}

/** At most one line per layer in this time, and always one at its end. */
const intervalMs = 100;

export async function push(call: Call, { library, registry, pins, clock }: PushPorts): Promise<Response> {
  const credentials = credentialsOf(parseBody(signIn, (await call.optionalJson()) ?? {}));
  const { model, reference } = await named(call.rest, library);
  const { manifest } = library.partsOf(model);
  const total = manifest.layers.reduce((sum, { size }) => sum + size, 0);
  return lineResponse<ProgressJson>(call, progressFormat(call), {
    failed: (error) => ({ ...line('error', error.message), error: error.toJSON().error }),
    run: async (tell, signal) => {
      const release = pins.hold(manifest.layers.map(({ digest }) => digest));
      const toldAtMs = new Map<Digest, number>();
      try {
        await registry.push(reference, pushable(model, library), {
          credentials,
          signal,
          mountFrom: siblings(model, reference),
          onProgress: ({ digest, size }, current) => {
            const isDue = clock.now() - (toldAtMs.get(digest) ?? -Infinity) >= intervalMs;
            if (!isDue && current < size) return;
            toldAtMs.set(digest, clock.now());
            tell({
              type: 'progress',
              message: `Uploaded: ${(current / 1024 / 1024).toFixed(2)} MB`,
              total,
              layer: { id: digest, size, current },
              mode: 'push',
            });
          },
        });
        tell(line('success', 'Model pushed successfully'));
      } finally {
        release();
      }
    },
  });
}

/** A push goes where the name says, so an id is not enough. */
async function named(name: string, library: Library): Promise<{ model: IndexedModel; reference: Reference }> {
  const model = await library.get(name);
  if (!isModelId(name)) return { model, reference: parseReference(name) };
  throw new ApiError(
    'invalid_reference',
    'A push needs a name with a registry, not an id. Tag the model first.',
  );
}

function pushable(model: IndexedModel, library: Library): PushableModel {
  return {
    manifest: library.partsOf(model).manifest,
    manifestBytes: model.manifest,
    configBytes: model.config,
    open: (digest) => library.blob(digest),
  };
}

/** Where the same registry may have the layers already. */
function siblings(model: IndexedModel, target: Reference): readonly string[] {
  const others = model.tags.map((tag) => parseReference(tag));
  const there = others.filter(
    ({ registry, repository }) => registry === target.registry && repository !== target.repository,
  );
  return [...new Set(there.map(({ repository }) => repository))];
}

function line(type: ProgressJson['type'], message: string): ProgressJson {
  return { type, message, total: 0, layer: { size: 0, current: 0 }, mode: 'push' };
}
