/** The models that the body of a request names, whatever its dialect calls them. */
import type { Call } from '#lib/runner/router.ts';

const fields = ['model', 'name'] as const;

/** The body stays readable. Empty for one that names none, or is no JSON, which no endpoint takes either. */
export async function namesInBody({ request }: Pick<Call, 'request'>): Promise<readonly string[]> {
  let body: unknown;
  try {
    body = await request.clone().json();
  } catch {
    return [];
  }
  if (typeof body !== 'object' || body === null) return [];
  const named = new Map<string, unknown>(Object.entries(body));
  // Every one of them: which of two an endpoint takes must not decide what a page may ask.
  return fields.map((field) => named.get(field)).filter((name) => typeof name === 'string');
}
