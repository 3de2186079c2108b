/** Lists an archive that is read piece by piece, by its headers alone: the files in it are never read. */
import { damagedTar } from './damage.ts';
import { EntryAssembler, paddedBytes, type TarEntryHead } from './entry.ts';
import { blockBytes, parseTarHeader } from './header.ts';

export interface TarEntry extends TarEntryHead {
  /** Where its bytes start. */
  readonly offset: number;
}

/** At least `lengthBytes` lie there when the archive is as long as was said. */
export type ReadBytes = (offset: number, lengthBytes: number) => Promise<Uint8Array>;

/**
 * `sizeBytes` is that of the archive, or `Infinity`. Links and devices are listed and mean nothing here; a body that would reach past
 * the end and everything else that is wrong throws `unsupported_model_format`.
 */
export async function* readTarIndex(
  read: ReadBytes,
  sizeBytes: number,
): AsyncGenerator<TarEntry, void, void> {
  const assembler = new EntryAssembler();
  for (let at = 0; at < sizeBytes;) {
    const block = (await read(at, blockBytes)).subarray(0, blockBytes);
    // The end of an archive that has no end mark, and of which nobody said how long it is.
    if (block.byteLength === 0 && at > 0) break;
    const header = parseTarHeader(block);
    if (!header) break;
    const offset = at + blockBytes;
    const extensionBytes = assembler.extensionBytes(header);
    if (extensionBytes !== undefined) {
      checkEnd(offset, extensionBytes, sizeBytes);
      const body = (await read(offset, extensionBytes)).subarray(0, extensionBytes);
      if (body.byteLength < extensionBytes) throw damagedTar('it was cut short');
      assembler.extend(header, body);
      at = offset + paddedBytes(extensionBytes);
      continue;
    }
    const entry = assembler.entry(header);
    checkEnd(offset, entry.sizeBytes, sizeBytes);
    yield { ...entry, offset };
    at = offset + paddedBytes(entry.sizeBytes);
  }
  assembler.finish();
}

function checkEnd(offset: number, lengthBytes: number, sizeBytes: number): void {
  if (lengthBytes > sizeBytes - offset) throw damagedTar('a file in it reaches past its end');
}
