/** Ids of tool calls. Some templates insist on the engine's own form of them, and clients expect OpenAI's prefix. */

const prefix = 'call_';

export function clientCallId(engineId: string | undefined): string {
  return prefix + (engineId || crypto.randomUUID().replaceAll('-', '').slice(0, 24));
}

/** Of the call and of its answer alike, so that they keep belonging to each other. */
export function engineCallId(clientId: string): string {
  return clientId.startsWith(prefix) && clientId.length > prefix.length
    ? clientId.slice(prefix.length)
    : clientId;
}
