/** Where things lie in OPFS: whole blobs under `blobs/sha256/<hex>`, unfinished ones under `partial/<hex>`. */
import { isDigest, type Digest } from '#lib/core/digest.ts';

declare global {
  interface FileSystemFileHandle {
    /** Not in TypeScript's libraries. Overwrites silently; fails while a sync handle is open. */
    move(directory: FileSystemDirectoryHandle, name: string): Promise<void>;
  }
}

export async function blobsDirectory(root: FileSystemDirectoryHandle): Promise<FileSystemDirectoryHandle> {
  const blobs = await root.getDirectoryHandle('blobs', { create: true });
  return blobs.getDirectoryHandle('sha256', { create: true });
}

export function partialDirectory(root: FileSystemDirectoryHandle): Promise<FileSystemDirectoryHandle> {
  return root.getDirectoryHandle('partial', { create: true });
}

/** `undefined` when there is no such file. */
export async function findFile(
  directory: FileSystemDirectoryHandle,
  name: string,
): Promise<File | undefined> {
  try {
    const handle = await directory.getFileHandle(name);
    return await handle.getFile();
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

/** Idempotent. */
export async function removeFile(directory: FileSystemDirectoryHandle, name: string): Promise<void> {
  try {
    await directory.removeEntry(name);
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}

export async function fileNames(directory: FileSystemDirectoryHandle): Promise<readonly string[]> {
  const names: string[] = [];
  for await (const name of directory.keys()) names.push(name);
  return names;
}

/** The digest that a file is named by; `undefined` for foreign files. */
export function digestOfName(name: string): Digest | undefined {
  const digest = `sha256:${name}`;
  return isDigest(digest) ? digest : undefined;
}

function isNotFound(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'NotFoundError';
}
