// Secrets are compared in constant time: `===` stops at the first letter that differs, and how long it took tells which.
// Finds comparisons of what is named like a secret, and says where timingSafeEqual stands instead.
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const secretName =
  /(?:^|[a-z_.])(secret|token|signature|digest|hash|hmac|mac|password|api_?key|pepper|fingerprint|request_?print|credential)s?$/i;
// What an operand must be for the comparison to tell nothing: that there is none, of what kind it is, how many there are.
const harmless = /^(''|""|undefined|null|true|false|0|'(string|object|function)'|[\w.?]*\.length|\d+)$/;
const operand = String.raw`[\w$.?!\[\]'"]+(?:\([^()]*\))?`;
const comparison = new RegExp(String.raw`(typeof\s+)?(${operand})\s*[!=]==?\s*(${operand}|'[^']*')`, 'g');

/** Looks like one and is none. */
const known: Readonly<Record<string, string>> = {
  'apps/sandbox/src/app.ts: before.fingerprint !== fingerprint': 'of a request that is repeated, known to who sends it',
};

const complaints: string[] = [];
const constant: string[] = [];
const files = globSync('{apps,packages}/*/src/**/*.ts', { cwd: root })
  .filter(
    (file) =>
      !file.startsWith('packages/proto/') && !file.startsWith('packages/testkit/') && !file.endsWith('.test.ts'),
  )
  .toSorted();
for (const file of files) {
  const code = readFileSync(join(root, file), 'utf8').replace(/\/\*[\s\S]*?\*\//g, '');
  for (const [at, line] of code.split('\n').entries()) {
    const bare = line.replace(/(^|\s)\/\/.*$/, '');
    if (/timingSafeEqual\(/.test(bare)) constant.push(`${file}: ${bare.trim()}`);
    for (const [text, kind, left = '', right = ''] of bare.matchAll(comparison)) {
      if (kind !== undefined || harmless.test(left) || harmless.test(right)) continue;
      const isSecret = [left, right].some((each) => secretName.test(each.replace(/\(.*$/, '').replaceAll('?', '')));
      if (!isSecret || `${file}: ${text}` in known) continue;
      complaints.push(
        `${file}:${at + 1}: ${text}: compare digests of both by timingSafeEqual, or say in scripts/check-secrets.ts why not.`,
      );
    }
    // A look-up by the secret itself leaks the same through the index; look up by a name, compare by a digest.
    if (
      /where\('(secret|token|api_key|key_hash|digest)',\s*'='/.test(bare) ||
      /\bwhere\b[^`]*\b(secret|api_key|password) = \$\{/.test(bare)
    )
      complaints.push(`${file}:${at + 1}: ${bare.trim()}: look it up by its name, and compare it in constant time.`);
  }
}
for (const site of process.argv.includes('--list') ? constant : []) console.log(site);
for (const complaint of complaints) console.error(complaint);
if (constant.length === 0)
  complaints.push('no comparison in constant time was found: this program no longer sees what it checks.');
console.log(
  `secrets: ${files.length} files, ${constant.length} comparisons in constant time, ${complaints.length} complaints`,
);
process.exitCode = complaints.length === 0 ? 0 : 1;
