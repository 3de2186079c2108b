/** The parts of Hugging Face's Hub API that a pull needs. All of them answer browsers, so they are asked directly. */
import * as v from 'valibot';
import type { Clock } from '#lib/core/clock.ts';
import type { ApiError } from '#lib/core/errors.ts';
import { fetchPart, readAtMost, unreachable, withDeadline, type Fetch } from '#lib/registry/http.ts';
import type { ByteRange, LayerBody } from '#lib/registry/port.ts';
import { refusal, type HubRequest } from './refusal.ts';
import type { HubFile } from './select.ts';

export interface HubOptions {
  readonly fetch: Fetch;
  readonly clock: Clock;
  /** `https://huggingface.co` unless a test says otherwise. */
  readonly baseUrl?: string | undefined;
}

export interface Revision {
  /** The commit: everything after is read at it, so that a push in between changes nothing. */
  readonly commit: string;
  readonly lastModifiedMs: number;
}

export interface HubFileRequest extends HubRequest {
  readonly commit: string;
  readonly path: string;
}

const server = 'Hugging Face';
/** Long enough for the largest headers, some 16 MiB, on a slow line. */
const deadlineMs = 60_000;
const maxDocumentBytes = 16 * 1024 * 1024;
/** Of 1000 entries each. */
const maxPages = 20;

const revisionSchema = v.object({
  sha: v.pipe(v.string(), v.regex(/^[0-9a-f]{40}$/)),
  lastModified: v.optional(v.string()),
});

const size = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const treeSchema = v.array(
  v.object({
    type: v.string(),
    path: v.string(),
    size: v.optional(size, 0),
    lfs: v.nullish(v.object({ oid: v.string(), size })),
  }),
);

interface Page<Body> {
  readonly body: Body;
  readonly next: URL | undefined;
}

export class Hub {
  readonly #clock: Clock;
  readonly #fetch: Fetch;
  readonly #baseUrl: string;

  constructor(options: HubOptions) {
    this.#clock = options.clock;
    this.#baseUrl = options.baseUrl ?? 'https://huggingface.co';
    // Called as a method of another object, the browser's fetch throws “Illegal invocation”.
    const { fetch } = options;
    this.#fetch = (input, init) => fetch(input, init);
  }

  /** What `main` is now; throws `model_not_found` and `unauthorized`. */
  async revision(request: HubRequest): Promise<Revision> {
    const url = new URL(`/api/models/${encodePath(request.repository)}/revision/main`, this.#baseUrl);
    const { body } = await this.#getJson(url, request, revisionSchema);
    const lastModifiedMs = Date.parse(body.lastModified ?? '');
    return { commit: body.sha, lastModifiedMs: Number.isNaN(lastModifiedMs) ? 0 : lastModifiedMs };
  }

  async files(request: HubRequest, commit: string): Promise<readonly HubFile[]> {
    const files: HubFile[] = [];
    const path = `/api/models/${encodePath(request.repository)}/tree/${commit}?recursive=true`;
    let url: URL | undefined = new URL(path, this.#baseUrl);
    for (let page = 0; url && page < maxPages; page++) {
      const { body, next }: Page<v.InferOutput<typeof treeSchema>> = await this.#getJson(
        url,
        request,
        treeSchema,
      );
      for (const entry of body) {
        if (entry.type !== 'file' || hasDots(entry.path)) continue;
        files.push({ path: entry.path, sizeBytes: entry.lfs?.size ?? entry.size, sha256: entry.lfs?.oid });
      }
      url = next;
    }
    return files;
  }

  fetchPart(request: HubFileRequest, range: ByteRange): Promise<LayerBody> {
    return fetchPart(range, server, (headers, read) =>
      this.#get(this.#fileUrl(request), request, headers, read),
    );
  }

  /** Bytes `[from, to)` in memory. */
  read(request: HubFileRequest, range: ByteRange): Promise<Uint8Array<ArrayBuffer>> {
    const headers = { range: `bytes=${range.from}-${range.to - 1}` };
    return this.#get(this.#fileUrl(request), request, headers, (response) => {
      if (response.status === 206) return readAtMost(response, range.to - range.from, tooMuch);
      if (response.status === 200 && range.from === 0) return readStart(response, range.to);
      void response.body?.cancel();
      throw unreachable(`${server} does not send parts of this file. Try again later.`);
    });
  }

  #fileUrl({ repository, commit, path }: HubFileRequest): URL {
    return new URL(`/${encodePath(repository)}/resolve/${commit}/${encodePath(path)}`, this.#baseUrl);
  }

  #getJson<Schema extends v.GenericSchema>(
    url: URL,
    request: HubRequest,
    schema: Schema,
  ): Promise<Page<v.InferOutput<Schema>>> {
    return this.#get(url, request, {}, async (response) => {
      const bytes = await readAtMost(response, maxDocumentBytes, tooMuch);
      const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), schema), new TextDecoder().decode(bytes));
      if (!parsed.success)
        throw unreachable(`${server} answered in a form that is not known here. Try again later.`);
      return { body: parsed.output, next: nextPage(response, this.#baseUrl) };
    });
  }

  #get<Result>(
    url: URL,
    request: HubRequest,
    headers: Readonly<Record<string, string>>,
    read: (response: Response) => Result | Promise<Result>,
  ): Promise<Result> {
    const { token, signal } = request;
    return withDeadline({ clock: this.#clock, delayMs: deadlineMs, server, signal }, async (limited) => {
      const response = await this.#fetch(url, {
        headers: { ...headers, ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) },
        cache: 'no-store',
        credentials: 'omit',
        referrerPolicy: 'no-referrer',
        signal: limited,
      });
      if (response.status === 200 || (headers.range && [206, 416].includes(response.status)))
        return read(response);
      void response.body?.cancel();
      throw refusal(response, request);
    });
  }
}

/** Followed on the same origin only: the token goes along. */
function nextPage(response: Response, baseUrl: string): URL | undefined {
  const target = /<([^>]+)>\s*;[^,]*\brel="?next"?/i.exec(response.headers.get('link') ?? '')?.[1];
  if (target === undefined || !URL.canParse(target, baseUrl)) return undefined;
  const url = new URL(target, baseUrl);
  return url.origin === new URL(baseUrl).origin ? url : undefined;
}

async function readStart(response: Response, length: number): Promise<Uint8Array<ArrayBuffer>> {
  if (!response.body) return new Uint8Array();
  const whole = new Uint8Array(length);
  const reader = response.body.getReader();
  let filled = 0;
  while (filled < length) {
    const next = await reader.read();
    if (next.done) break;
    const chunk = next.value.subarray(0, length - filled);
    whole.set(chunk, filled);
    filled += chunk.byteLength;
  }
  void reader.cancel();
  return whole.subarray(0, filled);
}

function encodePath(path: string): string {
  return path.split('/').map(encodeURIComponent).join('/');
}

function hasDots(path: string): boolean {
  return path.split('/').some((segment) => segment === '.' || segment === '..');
}

function tooMuch(): ApiError {
  return unreachable(`${server} sent far more than it was asked for. Try again later.`);
}
