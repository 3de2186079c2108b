/** `--model`: brings a model to the headless host through its own API, as any program would. */
import * as v from 'valibot';
import { ApiError, errorFromBody } from '#lib/core/errors.ts';

export interface PreloadOptions {
  /** The companion's address. */
  readonly url: string;
  readonly model: string;
  readonly print: (line: string) => void;
  readonly signal: AbortSignal;
}

const progressLine = v.object({
  type: v.string(),
  message: v.string(),
  total: v.optional(v.number(), 0),
  layer: v.optional(v.object({ id: v.optional(v.string()), current: v.number() })),
});
type ProgressLine = v.InferOutput<typeof progressLine>;

/** Resolves when the model is loaded; throws an `ApiError` that says why it is not. */
export async function preload(options: PreloadOptions): Promise<void> {
  const { model, print } = options;
  if (!(await isStored(options))) await pull(options);
  print(`Loading ${model} …`);
  const response = await ask(options, '/engines/v1/chat/completions', {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-preload-only': 'true' },
    body: JSON.stringify({ model, messages: [] }),
  });
  await refuseFailure(response);
  print(`${model} is ready.`);
}

async function isStored(options: PreloadOptions): Promise<boolean> {
  const response = await ask(options, `/models/${encodeURI(options.model)}`);
  if (response.status === 404) {
    await response.body?.cancel();
    return false;
  }
  await refuseFailure(response);
  await response.body?.cancel();
  return true;
}

async function pull(options: PreloadOptions): Promise<void> {
  const { model, print } = options;
  const response = await ask(options, '/models/create', {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    body: JSON.stringify({ from: model }),
  });
  await refuseFailure(response);
  const meter = new PullMeter(model, print);
  for await (const line of linesOf(response)) {
    const progress = parseLine(line);
    if (progress?.type === 'error') throw new ApiError('registry_unreachable', progress.message);
    if (progress) meter.note(progress);
  }
}

/** The layers' figures, added up; a line at every tenth. */
class PullMeter {
  readonly #model: string;
  readonly #print: (line: string) => void;
  readonly #layers = new Map<string, number>();
  #toldTenths = -1;

  constructor(model: string, print: (line: string) => void) {
    this.#model = model;
    this.#print = print;
  }

  note({ total, layer }: ProgressLine): void {
    if (layer?.id === undefined || total === 0) return;
    this.#layers.set(layer.id, layer.current);
    const doneBytes = [...this.#layers.values()].reduce((sum, bytes) => sum + bytes, 0);
    const tenths = Math.min(10, Math.floor((10 * doneBytes) / total));
    if (tenths <= this.#toldTenths) return;
    this.#toldTenths = tenths;
    this.#print(`Pulling ${this.#model}: ${tenths * 10} % of ${megabytes(total)} MB`);
  }
}

function ask({ url, signal }: PreloadOptions, path: string, init: RequestInit = {}): Promise<Response> {
  return fetch(url + path, { ...init, signal });
}

async function refuseFailure(response: Response): Promise<void> {
  if (response.ok) return;
  const body: unknown = await response.json().catch(() => undefined);
  throw errorFromBody(body, response.status);
}

async function* linesOf({ body }: Response): AsyncGenerator<string, void, undefined> {
  if (!body) return;
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of body) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
  if (rest !== '') yield rest;
}

/** Undefined for a line that is no progress; a newer runner may say more. */
function parseLine(line: string): ProgressLine | undefined {
  try {
    const result = v.safeParse(progressLine, JSON.parse(line));
    return result.success ? result.output : undefined;
  } catch {
    return undefined;
  }
}

function megabytes(sizeBytes: number): number {
  return Math.round(sizeBytes / 1_000_000);
}
