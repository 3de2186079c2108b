/** The long operations on models, as work for `Tasks`: each yields its progress and returns its closing sentence. */
import { ApiError, type ErrorBody } from '#lib/core/errors.ts';
import type { Digest } from '#lib/core/digest.ts';
import type {
  BlobJson,
  PackagedFileJson,
  PackageRequestJson,
  ProgressJson,
  RepairJson,
  UploadJson,
} from '#lib/model/wire.ts';
import { post, send, type Client } from './client.ts';
import { referencePath, shortReference } from './names.ts';
import { jsonLines } from './ndjson.ts';
import type { PickedFile } from './package-draft-folder.ts';
import type { Credentials } from './pulls.svelte.ts';
import type { Work } from './tasks.svelte.ts';

/** Sends a model to the registry that `reference` names. Fails with `unauthorized` where that asks for a sign-in. */
export function pushWork(client: Client, reference: string): Work {
  return async function* ({ signal, credentials }) {
    const name = shortReference(reference);
    yield { doneBytes: 0, totalBytes: 0, text: 'Asking the registry' };
    const path = `/models/${referencePath(reference)}/push`;
    const response = await send(client, path, {
      ...post(credentialBody(credentials)),
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      signal,
    });
    const layers = new LayerSum();
    for await (const line of jsonLines<ProgressJson>(response)) {
      if (line.type === 'error') throw errorOfLine(line);
      if (line.type === 'success') return `${name} is pushed.`;
      if (line.type !== 'progress') continue;
      yield { doneBytes: layers.add(line), totalBytes: line.total, text: 'Sending' };
    }
    throw new ApiError('host_lost', 'The push stopped before its end. Try again; it goes on where it was.');
  };
}

/** Reads every file of a model again; the runner fetches anew what is damaged. */
export function repairWork(client: Client, id: Digest): Work {
  return async function* ({ signal }) {
    const response = await send(client, `/_sampan/models/${id}/repair`, { ...post(), signal });
    const damaged: string[] = [];
    for await (const line of jsonLines<RepairJson>(response)) {
      if (line.type === 'error') throw errorOf(line.error);
      if (line.type === 'done') return repairWords(damaged, line.pull);
      if (line.type === 'damaged') damaged.push(line.path);
      else yield { doneBytes: line.checked_bytes, totalBytes: line.total_bytes, text: 'Checking SHA-256' };
    }
    throw new ApiError('host_lost', 'The check stopped before its end. Try again.');
  };
}

/** Takes in a tar as `docker model` and this page export it. */
export function loadWork(client: Client, file: File): Work {
  return async function* ({ signal }) {
    yield { doneBytes: 0, totalBytes: 0, text: 'Reading and checking' };
    const response = await send(client, '/models/load', {
      method: 'POST',
      headers: { 'content-type': 'application/x-tar', accept: 'application/json' },
      body: file,
      signal,
    });
    const layers = new LayerSum();
    for await (const line of jsonLines<ProgressJson>(response)) {
      if (line.type === 'error') throw errorOfLine(line);
      if (line.type === 'success') return `${file.name} is loaded.`;
      yield { doneBytes: layers.add(line), totalBytes: file.size, text: 'Copying and checking' };
    }
    throw new ApiError('host_lost', 'The import stopped before its end. Try again.');
  };
}

/** Bytes of all layers, of each the latest figure. */
class LayerSum {
  readonly #bytes = new Map<string, number>();

  add({ layer }: ProgressJson): number {
    this.#bytes.set(layer.id ?? '', layer.current);
    return [...this.#bytes.values()].reduce((sum, bytes) => sum + bytes, 0);
  }
}

function errorOfLine({ error, message }: ProgressJson): ApiError {
  return error ? errorOf(error) : new ApiError('internal', message);
}

/** What a package is made of, with files that are not in the browser's storage yet. */
export interface PackagePlan {
  readonly target: string;
  readonly format: PackageRequestJson['format'];
  readonly from?: string;
  readonly weights?: readonly File[];
  readonly chatTemplate?: File | null;
  readonly projector?: File | null;
  readonly licenses?: readonly File[];
  /** Of the folder of an MLC model, instead of everything above. */
  readonly files?: readonly PickedFile[];
  /** Whose compiled library it takes, when it has none. */
  readonly libraryFrom?: string;
  readonly contextSize?: number;
}

/** Copies the files into the browser's storage one by one, then writes the model. A second attempt copies only what is missing. */
export function packageWork(client: Client, plan: PackagePlan): Work {
  const stored = new Map<File, BlobJson>();
  return async function* ({ signal }) {
    const files = filesOf(plan);
    const totalBytes = files.reduce((sum, file) => sum + file.size, 0);
    let doneBytes = 0;
    for (const file of files) {
      const text = `Copying ${file.name}`;
      yield { doneBytes, totalBytes, text };
      if (!stored.has(file)) {
        for await (const line of uploaded(client, file, signal)) {
          if (line.type === 'stored') stored.set(file, line);
          else yield { doneBytes: doneBytes + copiedBytes(line, file), totalBytes, text };
        }
      }
      doneBytes += file.size;
    }
    yield { doneBytes, totalBytes, text: 'Writing the model' };
    await send(client, '/_sampan/package', { ...post(toRequest(plan, stored)), signal });
    return `${shortReference(plan.target)} is packaged.`;
  };
}

/** Each byte is read twice, once to name it and once to keep it; people count it once. */
function copiedBytes(
  line: { readonly done_bytes: number; readonly total_bytes: number },
  file: File,
): number {
  return Math.floor((line.done_bytes / line.total_bytes) * file.size);
}

/** Hands a file over; the last line is `stored`. */
async function* uploaded(
  client: Client,
  file: File,
  signal: AbortSignal,
): AsyncGenerator<Exclude<UploadJson, { type: 'error' }>, void, undefined> {
  const headers = { accept: 'application/x-ndjson' };
  const response = await send(client, '/_sampan/blobs', { method: 'POST', headers, body: file, signal });
  for await (const line of jsonLines<UploadJson>(response)) {
    if (line.type === 'error') throw errorOf(line.error);
    yield line;
    if (line.type === 'stored') return;
  }
  throw new ApiError('host_lost', `${file.name} was not copied to its end. Try again.`);
}

function filesOf(plan: PackagePlan): readonly File[] {
  const { weights = [], chatTemplate, projector, licenses = [], files = [] } = plan;
  const picked = files.map(({ file }) => file);
  return [...weights, chatTemplate, projector, ...licenses, ...picked].filter((file) => file instanceof File);
}

function toRequest(plan: PackagePlan, stored: ReadonlyMap<File, BlobJson>): PackageRequestJson {
  const { target, format, from, weights, chatTemplate, projector, licenses, files, contextSize } = plan;
  const digestOf = (file: File): Digest => {
    const blob = stored.get(file);
    if (!blob) throw new ApiError('internal', `${file.name} was not stored. Package it again.`);
    return blob.digest;
  };
  const named = (file: File): PackagedFileJson => ({ digest: digestOf(file), name: file.name });
  const dated = weights ?? files?.map(({ file }) => file);
  return {
    target,
    format,
    ...(from !== undefined && { from }),
    ...(weights && { weights: weights.map(named) }),
    ...(chatTemplate !== undefined && { chat_template: chatTemplate && named(chatTemplate) }),
    ...(projector !== undefined && { projector: projector && named(projector) }),
    ...(licenses && { licenses: licenses.map(named) }),
    ...(files && { files: files.map(({ path, file }) => ({ path, digest: digestOf(file) })) }),
    ...(plan.libraryFrom !== undefined && { library_from: plan.libraryFrom }),
    ...(contextSize !== undefined && { context_size: contextSize }),
    // The same files give the same model, whenever and wherever they are packaged.
    ...(dated && { created_ms: Math.max(...dated.map((file) => file.lastModified)) }),
  };
}

function credentialBody(credentials: Credentials | undefined): object {
  if (!credentials) return {};
  return 'token' in credentials ? { 'bearer-token': credentials.token } : credentials;
}

function repairWords(damaged: readonly string[], pull: string | undefined): string {
  if (damaged.length === 0) return 'Every file is as it should be.';
  const what = damaged.length === 1 ? `${damaged[0] ?? ''} was` : `${damaged.length} files were`;
  if (pull !== undefined) return `${what} damaged and ${damaged.length === 1 ? 'is' : 'are'} fetched again.`;
  return `${what} damaged. Pull or load the model again.`;
}

/** Of a line that says why the work failed. */
function errorOf({ code, message, param }: ErrorBody['error']): ApiError {
  return new ApiError(code, message, param === null ? {} : { param });
}
