/** From headers to entries: joins each header with the extended ones before it. */
import { checkPath } from '#lib/model/file-path.ts';
import { damagedTar } from './damage.ts';
import { decodeText, type TarHeader } from './header.ts';
import { maxPaxBytes, parsePax, type PaxOverrides } from './pax.ts';

export type TarEntryType = 'file' | 'folder' | 'link' | 'special';

export interface TarEntryHead {
  /** Relative and safe; a folder has no slash at its end. */
  readonly path: string;
  readonly type: TarEntryType;
  readonly sizeBytes: number;
}

const maxEntries = 10_000;
/** An archive of nothing but extended headers would be read without end. */
const maxExtensionsInARow = 8;

const types: ReadonlyMap<string, TarEntryType> = new Map([
  ['0', 'file'],
  ['7', 'file'],
  ['5', 'folder'],
  ['1', 'link'],
  ['2', 'link'],
  ['3', 'special'],
  ['4', 'special'],
  ['6', 'special'],
]);

export class EntryAssembler {
  #entries = 0;
  #extensions = 0;
  #overrides: PaxOverrides = {};

  /**
   * For a header that is about the next one: how many bytes of it to hand to `extend`. `undefined` for any other.
   * Throws `unsupported_model_format` when there is no end to them.
   */
  extensionBytes({ typeFlag, sizeBytes }: TarHeader): number | undefined {
    if (!'xgXLK'.includes(typeFlag)) return undefined;
    if (++this.#extensions > maxExtensionsInARow) throw damagedTar('it has extended headers without end');
    if (sizeBytes > maxPaxBytes) throw damagedTar('an extended header is too large');
    return sizeBytes;
  }

  extend({ typeFlag }: TarHeader, body: Uint8Array): void {
    if (typeFlag === 'L') this.#overrides = { ...this.#overrides, path: gnuName(body) };
    if (typeFlag === 'x' || typeFlag === 'X') {
      const { path, sizeBytes } = parsePax(body);
      this.#overrides = {
        path: path ?? this.#overrides.path,
        sizeBytes: sizeBytes ?? this.#overrides.sizeBytes,
      };
    }
    // Global headers and the targets of long links change no file here; global paths and sizes are refused as nonsense.
    if (typeFlag === 'g') {
      const { path, sizeBytes } = parsePax(body);
      if (path !== undefined || sizeBytes !== undefined)
        throw damagedTar('it gives all its files one path or size');
    }
  }

  /** Throws `unsupported_model_format` for paths that lead out of the archive and for kinds that cannot be read. */
  entry(header: TarHeader): TarEntryHead {
    if (++this.#entries > maxEntries) throw damagedTar(`it has more than ${maxEntries} entries`);
    const { path = readable(header.path), sizeBytes = header.sizeBytes } = this.#overrides;
    this.#extensions = 0;
    this.#overrides = {};
    const type = path.endsWith('/') && header.typeFlag === '0' ? 'folder' : types.get(header.typeFlag);
    if (type === undefined) throw damagedTar(`it has an entry of the unknown kind “${header.typeFlag}”`);
    // Readers differ on whether data follows, so what one of them takes for data another takes for headers.
    if (type !== 'file' && sizeBytes > 0) throw damagedTar('an entry that is no file has a size');
    return { path: isRoot(path) ? '.' : checkPath(path.replace(/\/+$/, '')), type, sizeBytes };
  }

  /** At the end of the archive. */
  finish(): void {
    if (this.#extensions > 0) throw damagedTar('it ends after an extended header');
  }
}

/** Archives of a whole folder begin with the folder itself. */
function isRoot(path: string): boolean {
  return path === '.' || path === './';
}

function readable(path: string): string {
  if (path.includes('\ufffd')) throw damagedTar('a name in it is not UTF-8');
  return path;
}

function gnuName(body: Uint8Array): string {
  const end = body.indexOf(0);
  return decodeText(end === -1 ? body : body.subarray(0, end));
}

/** The bytes of a body up to the next header. */
export function paddedBytes(sizeBytes: number): number {
  return Math.ceil(sizeBytes / 512) * 512;
}
