// Draws docs/states/<machine>.md from the matrices: a Mermaid picture of the moves and the whole table. With --check it
// writes nothing and fails when a page is not what its matrix says.
import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { cellsOf } from '../packages/machine/src/matrix.ts';

const root = join(import.meta.dirname, '..');
const folder = join(root, 'docs', 'states');
mkdirSync(folder, { recursive: true });
let stale = 0;

for (const file of globSync('apps/*/src/domain/**/*.matrix.ts', { cwd: root }).toSorted()) {
  const exported: Record<string, unknown> = await import(join(root, file));
  const matrix = Object.entries(exported).find(([name]) => name.endsWith('Matrix'))?.[1];
  if (!isMatrix(matrix)) throw new Error(`${file} exports no …Matrix`);
  const machine = basename(file, '.matrix.ts');
  const page = pageOf(machine, file, matrix);
  const path = join(folder, `${machine}.md`);
  if (process.argv.includes('--check')) {
    if (readOrEmpty(path) !== page) {
      console.error(`docs/states/${machine}.md is not what ${file} says. Run \`node scripts/generate-states.ts\`.`);
      stale += 1;
    }
  } else {
    writeFileSync(path, page);
  }
}
process.exitCode = stale === 0 ? 0 : 1;

type AnyMatrix = Record<string, Record<string, string | readonly string[]>>;

function isMatrix(value: unknown): value is AnyMatrix {
  return typeof value === 'object' && value !== null && Object.values(value).every((row) => typeof row === 'object');
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function pageOf(machine: string, file: string, matrix: AnyMatrix): string {
  const cells = cellsOf<string, string, string>(matrix);
  const statuses = Object.keys(matrix);
  const commands = [...new Set(cells.map((cell) => cell.command))];
  const node = (status: string) => status.replaceAll(/[^a-z_]/g, '_');
  const moves = new Map<string, string[]>();
  for (const { status, command, outcomes } of cells) {
    for (const to of outcomes.filter((outcome) => outcome !== 'ignored' && !outcome.startsWith('refused'))) {
      const key = `${status === 'absent' ? '[*]' : node(status)} --> ${node(to)}`;
      moves.set(key, [...(moves.get(key) ?? []), command]);
    }
  }
  const names = statuses
    .filter((status) => status !== 'absent' && node(status) !== status)
    .map((status) => `  ${node(status)}: ${status}`);
  const picture = [...names, ...[...moves].map(([move, by]) => `  ${move}: ${by.join(', ')}`)].join('\n');
  const table = commands.map(
    (command) =>
      `| \`${command}\` | ${statuses.map((status) => cells.find((cell) => cell.status === status && cell.command === command)?.outcomes.join(' or ') ?? '').join(' | ')} |`,
  );
  return `<!-- Generated from ${file} by scripts/generate-states.ts. Do not edit. -->
# ${machine}

\`\`\`mermaid
stateDiagram-v2
${picture}
\`\`\`

Every command in every status: the status after it, *ignored* (already so, or too late to matter) or *refused*.

| command | ${statuses.join(' | ')} |
|---|${statuses.map(() => '---|').join('')}
${table.join('\n')}
`;
}
