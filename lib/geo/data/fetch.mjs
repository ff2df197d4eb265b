// Fetches the pinned sources with npm's own client, checks each archive against the
// checksum in sources.json, and unpacks it below `folder`.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';

export const sources = JSON.parse(readFileSync(new URL('sources.json', import.meta.url))).sources;

/** Path of an unpacked source below `folder`. */
export const sourcePath = (folder, name) => join(folder, name.replace('/', '__'));

export function fetchSources(folder) {
  mkdirSync(folder, { recursive: true });
  for (const { name, version, integrity } of sources) {
    const target = sourcePath(folder, name);
    const archive = `${target}-${version}.tgz`;
    if (!existsSync(archive)) {
      const packed = execFileSync('npm', ['pack', '--silent', '--pack-destination', folder, `${name}@${version}`],
                                  { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim().split('\n').pop();
      renameSync(join(folder, packed), archive);
    }
    const digest = 'sha512-' + createHash('sha512').update(readFileSync(archive)).digest('base64');
    if (digest !== integrity) throw new Error(`${name}@${version}: checksum is ${digest}, expected ${integrity}`);
    mkdirSync(target, { recursive: true });
    execFileSync('tar', ['-xzf', archive, '-C', target, '--strip-components=1']);
  }
}
