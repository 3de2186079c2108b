// What this origin has on the disk.

/** Bytes of all files of the origin private file system, as long as they are. */
export async function fileBytes() {
  return folderBytes(await navigator.storage.getDirectory());
}

/** Bytes by kind of storage, as the browser counts them. */
export async function usage() {
  const { usage: totalBytes, usageDetails } = await navigator.storage.estimate();
  return { totalBytes, ...usageDetails };
}

async function folderBytes(folder) {
  let sum = 0;
  for await (const entry of folder.values()) {
    sum += entry.kind === 'file' ? (await entry.getFile()).size : await folderBytes(entry);
  }
  return sum;
}
