/** Model references: `smollm2`, `ai/smollm2:360M-Q4_K_M`, `hf.co/org/repo:Q8_0`, `localhost:5000/a/b@sha256:…`, `31b225cc6e36`. */
import { isDigest, type Digest } from '#lib/core/digest.ts';
import { ApiError } from '#lib/core/errors.ts';

/** Where a model is, in a registry. */
export interface Reference {
  /** `docker.io`, `huggingface.co`, `localhost:5000`. */
  readonly registry: string;
  /** Lowercase, without the registry: `ai/smollm2`. */
  readonly repository: string;
  /** As typed; `latest` when absent. Also set beside a digest, for display. */
  readonly tag: string;
  readonly digest?: Digest | undefined;
  /** `repository` with the case as typed: Hugging Face's API minds it. */
  readonly typedRepository: string;
}

export interface ParseReferenceOptions {
  /** The host of the app's own registry, which may lack the dot or port that otherwise marks a registry. */
  readonly ownHost?: string | undefined;
}

const dockerHub = 'docker.io';
const huggingFace = 'huggingface.co';
const aliases: ReadonlyMap<string, string> = new Map([
  ['hf.co', huggingFace],
  ['index.docker.io', dockerHub],
  ['registry-1.docker.io', dockerHub],
]);

const hostPattern =
  /^(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?$/;
const componentPattern = /^[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*$/;
const tagPattern = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;
const idPattern = /^(?:[0-9a-f]{12}|[0-9a-f]{64}|sha256:[0-9a-f]{64})$/;
const maxNameLength = 255;

/** Parses what a person typed; throws `invalid_reference`. Ask `isModelId` first: an ID is no reference. */
export function parseReference(input: string, options: ParseReferenceOptions = {}): Reference {
  const text = input.trim();
  checkWhole(text);
  const { rest, digest } = splitDigest(text);
  const { name, tag } = splitTag(rest, text);
  const { registry, typedRepository } = splitRegistry(name, options.ownHost);
  const repository = typedRepository.toLowerCase();
  checkName(registry, repository, text);
  return { registry, repository, tag, typedRepository, ...(digest === undefined ? {} : { digest }) };
}

/** The ID of a stored model: whole, or its first 12 digits. */
export function isModelId(input: string): boolean {
  return idPattern.test(input);
}

/** Fully qualified, as the index keeps it: `docker.io/ai/smollm2:latest`; a digest replaces the tag. */
export function canonicalReference(reference: Reference): string {
  const { registry, repository, tag, digest } = reference;
  return `${registry}/${repository}${digest === undefined ? `:${tag}` : `@${digest}`}`;
}

/** As a person would type it, and as the CLI prints it: `ai/smollm2`, `hf.co/org/repo-gguf:Q8_0`. */
export function familiarReference(reference: Reference): string {
  const { registry, repository, tag, digest } = reference;
  const suffix = digest === undefined ? (tag === 'latest' ? '' : `:${tag}`) : `@${digest}`;
  if (registry === huggingFace) return `hf.co/${repository}${suffix}`;
  // A repository such as `a.b/c` would be read back as the registry `a.b`.
  const [first = ''] = repository.split('/');
  if (registry === dockerHub && !looksLikeRegistry(first)) return `${repository}${suffix}`;
  return `${registry}/${repository}${suffix}`;
}

export function sameReference(a: Reference, b: Reference): boolean {
  return canonicalReference(a) === canonicalReference(b);
}

function checkWhole(text: string): void {
  if (text === '') {
    throw new ApiError('invalid_reference', 'The model name is empty. Type one such as “ai/smollm2”.');
  }
  if (isModelId(text)) {
    throw invalid(text, 'is the ID of a model, which no registry knows. Use a name such as “ai/smollm2”.');
  }
  const scheme = /^[a-z][a-z0-9+.-]*:\/\//i.exec(text)?.[0];
  if (scheme !== undefined) throw invalid(text, `is not a model name: leave out “${scheme}”.`);
  if (/\s/.test(text)) throw invalid(text, 'is not a model name: it has a space in it.');
}

function splitDigest(text: string): { rest: string; digest: Digest | undefined } {
  const at = text.indexOf('@');
  if (at === -1) return { rest: text, digest: undefined };
  const digest = text.slice(at + 1);
  if (!isDigest(digest)) throw invalid(text, 'needs “sha256:” and 64 hex digits after the “@”.');
  return { rest: text.slice(0, at), digest };
}

/** The separator is the last `:` after the last `/`, so a port is no tag; an empty tag is `latest`. */
function splitTag(rest: string, text: string): { name: string; tag: string } {
  const colon = rest.indexOf(':', rest.lastIndexOf('/') + 1);
  if (colon === -1) return { name: rest, tag: 'latest' };
  const tag = rest.slice(colon + 1) || 'latest';
  if (!tagPattern.test(tag)) {
    throw invalid(text, 'has a bad tag: use up to 128 letters, digits, “.”, “_” and “-” after the “:”.');
  }
  return { name: rest.slice(0, colon), tag };
}

function splitRegistry(name: string, ownHost?: string): { registry: string; typedRepository: string } {
  const slash = name.indexOf('/');
  const host = name.slice(0, Math.max(slash, 0)).toLowerCase();
  if (slash === -1) return { registry: dockerHub, typedRepository: `ai/${name}` };
  if (!looksLikeRegistry(host) && host !== ownHost) return { registry: dockerHub, typedRepository: name };
  const registry = aliases.get(host) ?? host;
  const typed = name.slice(slash + 1);
  // Docker Hub has no one-word repositories; where Docker says `library/`, Docker Model Runner says `ai/`.
  return {
    registry,
    typedRepository: registry === dockerHub && !typed.includes('/') ? `ai/${typed}` : typed,
  };
}

function looksLikeRegistry(segment: string): boolean {
  return segment === 'localhost' || segment.includes('.') || segment.includes(':');
}

function checkName(registry: string, repository: string, text: string): void {
  if (!hostPattern.test(registry))
    throw invalid(text, `names no registry: “${shorten(registry)}” is not a host.`);
  const bad = repository.split('/').find((component) => !componentPattern.test(component));
  if (bad === '') throw invalid(text, 'is not a model name: a part between the slashes is empty.');
  if (bad !== undefined) {
    throw invalid(
      text,
      `has a bad part, “${shorten(bad)}”: use letters and digits, with “.”, “_” or “-” between them.`,
    );
  }
  if (registry.length + 1 + repository.length > maxNameLength) {
    throw invalid(text, `is longer than ${maxNameLength} characters.`);
  }
}

function invalid(text: string, why: string): ApiError {
  return new ApiError('invalid_reference', `“${shorten(text)}” ${why}`);
}

function shorten(text: string): string {
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}
