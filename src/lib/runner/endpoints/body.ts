/** Parts of requests that several endpoints read. */
import * as v from 'valibot';
import { isDigest, type Digest } from '#lib/core/digest.ts';
import { ApiError } from '#lib/core/errors.ts';
import type { Credentials } from '#lib/registry/port.ts';

/** Parses a body; throws `invalid_request` naming the field. */
export function parseBody<S extends v.GenericSchema>(schema: S, value: unknown): v.InferOutput<S> {
  const parsed = v.safeParse(schema, value);
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  const param = v.getDotPath(issue) ?? 'body';
  throw new ApiError('invalid_request', `“${param}”: ${issue.message}.`, { param });
}

export const digest = v.pipe(
  v.custom<Digest>((value) => typeof value === 'string' && isDigest(value), 'must be a sha256 digest'),
  v.metadata({ type: 'string', pattern: '^sha256:[0-9a-f]{64}$' }),
);

export const credentials = v.union([
  v.pipe(
    v.object({ username: v.string(), password: v.string() }),
    v.transform((value): Credentials => ({ kind: 'password', ...value })),
  ),
  v.pipe(
    v.object({ token: v.string() }),
    v.transform((value): Credentials => ({ kind: 'token', ...value })),
  ),
]);

/** How Docker Model Runner's clients sign in, and a user name with a password besides. */
export const signIn = v.object({
  'bearer-token': v.optional(v.string()),
  username: v.optional(v.string()),
  password: v.optional(v.string()),
});

export function credentialsOf({
  'bearer-token': token,
  username,
  password,
}: v.InferOutput<typeof signIn>): Credentials | undefined {
  if (username !== undefined && password !== undefined) return { kind: 'password', username, password };
  return token === undefined || token === '' ? undefined : { kind: 'token', token };
}
