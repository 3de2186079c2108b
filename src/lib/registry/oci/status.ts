/** What a registry's refusal means to the person who asked for a model. */
import { ApiError } from '#lib/core/errors.ts';
import { familiarReference, type Reference } from '#lib/model/reference.ts';
import { retryAdvice, retryAfterMs, unreachable } from '#lib/registry/http.ts';
import type { Credentials } from '#lib/registry/port.ts';
import { LaterError } from './retry.ts';

export interface Asked {
  readonly reference: Reference;
  readonly purpose: 'pull' | 'push';
  readonly credentials?: Credentials | undefined;
}

/** The error of a response that has not the status of an answer. */
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
    const message = `${server} allows no more requests for now. ${advice}`;
    return new LaterError('rate_limited', message, retryAfterMs(response));
  }
  const message = `${server} answered with an error (HTTP ${status}). ${retryAdvice(response)}`;
  if (status < 500) return unreachable(message);
  return new LaterError('registry_unreachable', message, retryAfterMs(response));
}

/** Registries answer the same for what is private and for what is not there. */
export function signInError({ reference, credentials, purpose }: Asked): ApiError {
  const server = registryName(reference.registry);
  const name = familiarReference(reference);
  const message = purpose === 'push' ? mayNotPush(server, name) : mayNotPull(server, name);
  return new ApiError('unauthorized', credentials ? message.signedIn : message.anonymous);
}

function mayNotPull(server: string, name: string): { signedIn: string; anonymous: string } {
  return {
    signedIn: `${server} does not open ${name} to this sign-in. Check the user name, the token and the model's name.`,
    anonymous: `${server} asks for a sign-in. ${name} is private or does not exist: sign in, or check the name.`,
  };
}

function mayNotPush(server: string, name: string): { signedIn: string; anonymous: string } {
  return {
    signedIn: `${server} does not let this sign-in push ${name}. Check the password or token, that it may write, and the name.`,
    anonymous: `${server} asks for a sign-in before it takes ${name}. Sign in with an account that may push there.`,
  };
}

export function registryName(registry: string): string {
  return registry === 'docker.io' ? 'Docker Hub' : registry;
}
