/**
 * Emscripten and CMake as Debian trixie packages, unpacked into a root of their own: nothing on the machine is
 * installed or upgraded. Versions and digests stand in toolchain.lock; apt checks the archive's signatures besides.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run, sha256 } from './run.mjs';

const wanted = ['emscripten', 'cmake', 'ninja-build', 'bash', 'coreutils', 'sed', 'grep'];

/** Fills `root` with the pinned toolchain. */
export function installToolchain({ work, root, pins }) {
  if (existsSync(join(root, 'toolchain.ready'))) return;
  const apt = aptFor(work);
  run('apt-get', [...apt, '-q', 'update']);
  download(
    apt,
    pins.map(({ name, version }) => `${name}=${version}`),
  );
  const archives = join(work, 'apt/cache/archives');
  for (const pin of pins) {
    const file = join(archives, debFile(pin));
    if (sha256(file) !== pin.sha256)
      throw new Error(`${pin.name} ${pin.version} is not the package that is pinned.`);
    mkdirSync(root, { recursive: true });
    run('dpkg', ['-x', file, root]);
  }
  for (const folder of ['src', 'proc', 'dev', 'tmp']) mkdirSync(join(root, folder), { recursive: true });
  if (!existsSync(join(root, 'usr/bin/sh'))) symlinkSync('bash', join(root, 'usr/bin/sh'));
  writeFileSync(join(root, 'toolchain.ready'), '');
}

/** A line of toolchain.lock for each package. */
export function readPins(text) {
  return text
    .trim()
    .split('\n')
    .map((line) => {
      const [name, version, architecture, digest] = line.split(' ');
      return { name, version, architecture, sha256: digest };
    });
}

/** The packages that the archive offers today, as toolchain.lock has them. */
export function pinToolchain({ work }) {
  const apt = aptFor(work);
  run('apt-get', [...apt, '-q', 'update']);
  download(apt, wanted);
  const archives = join(work, 'apt/cache/archives');
  return readdirSync(archives)
    .filter((file) => file.endsWith('.deb'))
    .sort()
    .map((file) => {
      const [name, version, architecture] = file.replace(/\.deb$/, '').split('_');
      return `${name} ${decodeURIComponent(version)} ${architecture} ${sha256(join(archives, file))}\n`;
    })
    .join('');
}

function debFile({ name, version, architecture }) {
  return `${name}_${version.replaceAll(':', '%3a')}_${architecture}.deb`;
}

function download(apt, packages) {
  // An empty status file: every package of the closure is fetched, whatever the machine has.
  run('apt-get', [...apt, '-q', '-y', '--download-only', '--no-install-recommends', 'install', ...packages]);
}

/** Options that keep apt away from the machine's own lists, cache and status. */
function aptFor(work) {
  const home = join(work, 'apt');
  for (const folder of ['lists/partial', 'cache/archives/partial', 'empty']) {
    mkdirSync(join(home, folder), { recursive: true });
  }
  writeFileSync(join(home, 'status'), '');
  writeFileSync(
    join(home, 'sources.list'),
    `deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] ${debianMirror()} trixie main\n`,
  );
  const options = {
    'Dir::State::lists': join(home, 'lists'),
    'Dir::State::status': join(home, 'status'),
    'Dir::Cache': join(home, 'cache'),
    'Dir::Etc::sourcelist': join(home, 'sources.list'),
    'Dir::Etc::sourceparts': join(home, 'empty'),
    'Debug::NoLocking': 'true',
    'APT::Sandbox::User': 'root',
  };
  return Object.entries(options).flatMap(([key, value]) => ['-o', `${key}=${value}`]);
}

/** The mirror that this machine's apt is set up with. */
function debianMirror() {
  const texts = ['/etc/apt/sources.list', ...listSources()].filter((file) => existsSync(file));
  for (const file of texts) {
    const found = /^(?!#).*?(https?:\/\/\S+\/debian)\/?(?=\s|$)/m.exec(readFileSync(file, 'utf8'));
    if (found) return found[1];
  }
  throw new Error('apt knows no Debian mirror on this machine: add one to /etc/apt/sources.list.');
}

function listSources() {
  const folder = '/etc/apt/sources.list.d';
  return existsSync(folder) ? readdirSync(folder).map((file) => join(folder, file)) : [];
}
