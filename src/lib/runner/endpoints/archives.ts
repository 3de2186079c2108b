/** GET /models/{ref}/export and POST /models/load: models as tars. */
import type { Digest } from '#lib/core/digest.ts';
import { ApiError } from '#lib/core/errors.ts';
import { FileResponse } from '#lib/core/file-response.ts';
import { uploadOf } from '#lib/core/upload.ts';
import { canonicalReference, parseReference } from '#lib/model/reference.ts';
import { FileSource, ForwardSource } from '#lib/model/tar/source.ts';
import type { ProgressJson } from '#lib/model/wire.ts';
import { archiveModel } from '#lib/runner/library/archive.ts';
import { importArchive, type ImportPorts } from '#lib/runner/library/importer.ts';
import type { Call, Route } from '#lib/runner/router.ts';
import { lineResponse, progressFormat } from './lines.ts';

const stepBytes = 8 * 1024 * 1024;

export function archiveRoutes(ports: ImportPorts): readonly Route[] {
  return [
    { method: 'GET', pattern: '/models/*/export', handle: (call) => exportModel(call, ports) },
    { method: 'POST', pattern: '/models/load', handle: (call) => load(call, ports) },
  ];
}

async function exportModel(call: Call, ports: ImportPorts): Promise<Response> {
  const model = await ports.library.getLenient(call.rest);
  const { file, release } = await archiveModel(model, ports);
  const headers = {
    'content-type': 'application/x-tar',
    'content-length': String(file.size),
    'content-disposition': `attachment; filename="${fileName(call.rest)}.tar"`,
  };
  return new FileResponse(file, { headers }, release);
}

/** Slashes and colons are none of a file's name. */
function fileName(reference: string): string {
  return reference
    .replace(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/^[-.]+/, '')
    .slice(0, 120);
}

/** `?name=` tags the model. Docker Model Runner's answer: progress lines, the last of them “success”. */
async function load(call: Call, ports: ImportPorts): Promise<Response> {
  // What a page sends stays in its file; what a program sends goes straight into the store.
  const upload = await uploadOf(call.request);
  const archive =
    upload instanceof Blob ? new FileSource(upload) : new ForwardSource(upload.stream, upload.sizeBytes);
  if (archive.sizeBytes === 0)
    throw new ApiError('invalid_request', 'The body must be the archive. Send the tar’s bytes.');
  const name = call.url.searchParams.get('name');
  const tags = name === null ? [] : [canonicalReference(parseReference(name))];
  return lineResponse<ProgressJson>(call, progressFormat(call), {
    failed: (error) => ({ ...line('error', error.message), error: error.toJSON().error }),
    run: async (tell, signal) => {
      const toldBytes = new Map<Digest, number>();
      await importArchive(archive, ports, {
        signal,
        tags,
        onProgress: (digest, current, size) => {
          const told = toldBytes.get(digest);
          if (told !== undefined && current - told < stepBytes && current < size) return;
          toldBytes.set(digest, current);
          tell({
            ...line('progress', `Loaded: ${(current / 1024 / 1024).toFixed(2)} MB`),
            layer: { id: digest, size, current },
          });
        },
      });
      tell(line('success', 'Model loaded successfully'));
    },
  });
}

function line(type: ProgressJson['type'], message: string): ProgressJson {
  return { type, message, total: 0, layer: { size: 0, current: 0 }, mode: 'pull' };
}
