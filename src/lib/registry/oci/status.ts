/** What a registry's refusal means to the person who asked for a model. */
import { ApiError } from '#lib/core/errors.ts';
import { familiarReference, type Reference } from '#lib/model/reference.ts';
import { retryAdvice, unreachable } from '#lib/registry/http.ts';
import type { Credentials } from '#lib/registry/port.ts';

export interface Asked {
  readonly reference: Reference;
  readonly credentials?: Credentials | undefined;
}

/** The error of a response that is neither 200 nor 206. */
export function refusal(response: Response, asked: Asked): ApiError {
  const { status } = response;
  const server = registryName(asked.reference.registry);
  if (status === 401 || status === 403) return signInError(asked);
  if (status === 404) {
    const name = familiarReference(asked.reference);
    return new ApiError('model_not_found', `${name} is not on ${server}. Check the name and the tag.`);
  }
  if (status === 429) {
    const advice = `${retryAdvice(response)}${asked.credentials ? '' : ' A sign-in usually allows more.'}`;
    return new ApiError('rate_limited', `${server} allows no more requests for now. ${advice}`);
  }
  return unreachable(`${server} answered with an error (HTTP ${status}). ${retryAdvice(response)}`);
}

/** Registries answer the same for what is private and for what is not there. */
export function signInError({ reference, credentials }: Asked): ApiError {
  const server = registryName(reference.registry);
  const name = familiarReference(reference);
  const message = credentials
    ? `${server} does not open ${name} to this sign-in. Check the user name, the token and the model's name.`
    : `${server} asks for a sign-in. ${name} is private or does not exist: sign in, or check the name.`;
  return new ApiError('unauthorized', message);
}

export function registryName(registry: string): string {
  return registry === 'docker.io' ? 'Docker Hub' : registry;
}
