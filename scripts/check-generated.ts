// Generates the protos' TypeScript again beside the committed one and compares: readers need no plugin, and what they
// read is what the protos say.
import { execFileSync } from 'node:child_process';
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const fresh = mkdtempSync(join(root, 'node_modules', '.generated-'));
try {
  const template = readFileSync(join(root, 'buf.gen.yaml'), 'utf8').replace(
    'out: packages/proto/src',
    `out: ${join(fresh, 'out')}`,
  );
  writeFileSync(join(fresh, 'buf.gen.yaml'), template);
  execFileSync('buf', ['generate', '--template', join(fresh, 'buf.gen.yaml')], { cwd: root, stdio: 'inherit' });
  const committed = globSync('**/*.ts', { cwd: join(root, 'packages/proto/src') }).toSorted();
  const made = globSync('**/*.ts', { cwd: join(fresh, 'out') }).toSorted();
  const differing = [...new Set([...committed, ...made])].filter((file) => {
    const read = (base: string) =>
      made.includes(file) && committed.includes(file) ? readFileSync(join(base, file), 'utf8') : base;
    return read(join(root, 'packages/proto/src')) !== read(join(fresh, 'out'));
  });
  if (differing.length > 0) {
    console.error(`packages/proto/src is not what proto/ says: ${differing.join(', ')}. Run \`buf generate\`.`);
    process.exitCode = 1;
  }
} finally {
  rmSync(fresh, { recursive: true, force: true });
}
