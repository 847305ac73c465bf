// docs/requirements.md against the code: every requirement (R…) and decision (D…) that code, tests or documents name has a
// row there, and every test file that a row names exists.
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const page = readFileSync(join(root, 'docs/requirements.md'), 'utf8');
const rows = new Map([...page.matchAll(/^\| ([RD]\d+) \|(.*)$/gm)].map(([, id = '', rest = '']) => [id, rest]));

const complaints: string[] = [];
for (let number = 1; number <= 120; number += 1)
  if (!rows.has(`R${number}`)) complaints.push(`docs/requirements.md: R${number} has no row.`);
for (const [id, rest] of rows) {
  const files = [...rest.matchAll(/`([^`]+\.ts)`/g)].map(([, file = '']) => file);
  for (const file of files)
    if (!existsSync(join(root, file)))
      complaints.push(`docs/requirements.md: ${id} names ${file}, which does not exist.`);
  if (id.startsWith('R') && files.length === 0 && !rest.includes('not yet'))
    complaints.push(`docs/requirements.md: ${id} names no test. Name one, or say "not yet".`);
  for (const [decision] of rest.matchAll(/\bD\d+\b/g))
    if (!rows.has(decision)) complaints.push(`docs/requirements.md: ${id} names ${decision}, which has no row.`);
}
const sources = globSync(
  ['{apps,packages,e2e,bench,scripts,proto}/**/*.{ts,sql,proto,md}', 'docs/**/*.md', 'README.md'],
  { cwd: root, exclude: (path) => /node_modules|\.gen$/.test(path) },
).filter((file) => !file.startsWith('packages/proto/src/'));
for (const file of sources) {
  const text = readFileSync(join(root, file), 'utf8');
  for (const [named] of text.matchAll(/\b[RD]\d{1,3}\b/g))
    if (!rows.has(named)) complaints.push(`${file}: names ${named}, which docs/requirements.md does not explain.`);
}
for (const text of complaints) console.error(text);
console.log(`requirements: ${rows.size} rows, ${sources.length} files, ${complaints.length} complaints`);
process.exitCode = complaints.length === 0 ? 0 : 1;
