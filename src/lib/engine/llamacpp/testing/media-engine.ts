/** The tiny model with an eye or an ear, in the real engine. */
import type { GgufModel, LoadedModel } from '#lib/engine/port.ts';
import type { ChatEvent } from '#lib/openai/events.ts';
import type { ChatRequest, ContentPart } from '#lib/openai/chat.ts';
import earUrl from '#tests/fixtures/mmproj-ear.gguf?url';
import eyeUrl from '#tests/fixtures/mmproj-eye.gguf?url';
// The model's own template knows no parts.
import chatTemplate from '#tests/fixtures/parts.jinja?raw';
import { readGguf, type GgufParts } from './gguf-edit.ts';
import { ask, tiny } from './tiny-engine.ts';

export async function withEye(): Promise<GgufModel> {
  return tiny({ chatTemplate, projector: await blobOf(eyeUrl) });
}

export async function withEar(): Promise<GgufModel> {
  return tiny({ chatTemplate, projector: await blobOf(earUrl) });
}

export async function eyeParts(): Promise<GgufParts> {
  return readGguf(new Uint8Array(await (await blobOf(eyeUrl)).arrayBuffer()));
}

export function askAbout(
  model: LoadedModel,
  content: readonly ContentPart[],
  fields: Partial<ChatRequest> = {},
): Promise<ChatEvent[]> {
  return ask(model, '', { messages: [{ role: 'user', content: [...content] }], ...fields });
}

async function blobOf(url: string): Promise<Blob> {
  return (await fetch(url)).blob();
}
