/** A stored model with a projector: known as one that sees before it is loaded, counted whole, and opened with it. */
import { readFile } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { sha256, type Digest } from '#lib/core/digest.ts';
import { readArtifact } from '#lib/model/artifact.ts';
import { parseGgufHeader } from '#lib/model/gguf.ts';
import { packageModel } from '#lib/model/package.ts';
import type { IndexedModel } from '#lib/store/port.ts';
import { ModelInsights } from './insight.ts';
import { openArtifact } from './open.ts';

type Parts = Parameters<typeof openArtifact>;

async function fixture(name: string): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await readFile(`tests/fixtures/${name}.gguf`));
}

async function packed(projectorName?: string): Promise<{ artifact: Parts[0]; open: Parts[2]; id: Digest }> {
  const bytes = await fixture('tiny-q8_0');
  const extra = projectorName === undefined ? undefined : await fixture(projectorName);
  const blobs = new Map<Digest, Blob>();
  const file = async (name: string, content: Uint8Array<ArrayBuffer>) => {
    const digest = await sha256(content);
    blobs.set(digest, new Blob([content]));
    return { name, digest, sizeBytes: content.byteLength };
  };
  const weights = { ...(await file('m.gguf', bytes)), header: await parseGgufHeader(bytes) };
  const projector = extra && (await file('mmproj-F16.gguf', extra));
  const model = await packageModel({ weights: [weights], projector, createdAtMs: 0 });
  const open = (digest: Digest) => Promise.resolve(blobs.get(digest) ?? expect.fail('no such blob'));
  return { artifact: readArtifact(model.manifest, model.configBytes), open, id: model.id };
}

async function insightOf({ artifact, open, id }: Awaited<ReturnType<typeof packed>>) {
  const library = { partsOf: () => ({ artifact }), blob: open } as unknown as ConstructorParameters<
    typeof ModelInsights
  >[0];
  return new ModelInsights(library).of({ id } as IndexedModel);
}

describe('a stored model with a projector', () => {
  let blind: Awaited<ReturnType<typeof packed>>;

  beforeAll(async () => {
    blind = await packed();
  });

  it.each([
    ['mmproj-eye', { vision: true, audio: false }],
    ['mmproj-ear', { vision: false, audio: true }],
  ])('that is an %s can do more and takes more', async (name, senses) => {
    const seeing = await packed(name);
    const [without, insight] = [await insightOf(blind), await insightOf(seeing)];
    expect(insight?.capabilities).toMatchObject({ chat: true, ...senses });
    expect(without?.capabilities).toMatchObject({ chat: true, vision: false, audio: false });
    const bytes = (await fixture(name)).byteLength;
    const config = { contextSize: 256 };
    expect(insight?.memory(config).weightsBytes).toBe((without?.memory(config).weightsBytes ?? 0) + bytes);
    const opened = await openArtifact(seeing.artifact, seeing.id, seeing.open);
    expect(opened).toMatchObject({ kind: 'gguf', projector: { size: bytes } });
    expect(opened.kind === 'gguf' && opened.weights).toHaveLength(1);
  });
});
