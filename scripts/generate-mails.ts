// mails/*.mjml → typed functions that fill in values, escaped. With --check: says what is stale and changes nothing.
// In a template {{name}} is a value, and <!-- each:rows -->…{{rows.name}}…<!-- end:rows --> a part for each row.
import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import mjml2html from 'mjml';

const root = join(import.meta.dirname, '..');
const source = join(root, 'apps/notification/mails');
const target = join(root, 'apps/notification/src/outbound/mails.gen');
const isCheck = process.argv.includes('--check');
// Parts that the others include.
const parts = new Set(['head', 'top', 'foot']);
const stale: string[] = [];

mkdirSync(target, { recursive: true });
for (const file of globSync('*.mjml', { cwd: source }).toSorted()) {
  const name = basename(file, '.mjml');
  if (parts.has(name)) continue;
  const path = join(source, file);
  const { html, errors } = await mjml2html(readFileSync(path, 'utf8'), {
    filePath: path,
    ignoreIncludes: false,
    validationLevel: 'soft',
    // By default a font of this name is fetched from a stranger, who then knows who reads which mail.
    fonts: {},
  });
  if (errors.length > 0) throw new Error(`${file}: ${errors.map((error) => error.formattedMessage).join('; ')}`);
  write(join(target, `${name}.ts`), moduleOf(name, tidy(html)));
}
if (stale.length > 0) console.error(`stale: ${stale.join(', ')}. Run npm run generate.`);
process.exitCode = stale.length === 0 ? 0 : 1;

/** Indentation is half of what MJML makes; conditional comments are for Outlook and stay. */
function tidy(html: string): string {
  return html
    .replace(/>\s+</g, '><')
    .replace(/\s*\n\s*/g, ' ')
    .replace(/\{\{\s*([\w.]+)\s*\}\}/g, '{{$1}}')
    .trim();
}

function moduleOf(name: string, html: string): string {
  const typeName = name.replaceAll(/(?:^|-)([a-z])/g, (_, letter: string) => letter.toUpperCase());
  const rows = new Map<string, Set<string>>();
  const body = html.replaceAll(/<!-- each:(\w+) -->(.*?)<!-- end:\1 -->/gs, (_, list: string, part: string) => {
    const fields = rows.get(list) ?? new Set<string>();
    rows.set(list, fields);
    for (const [, field = ''] of part.matchAll(new RegExp(`\\{\\{${list}\\.(\\w+)\\}\\}`, 'g'))) fields.add(field);
    return `⟦each ${list}⟧${part}⟦end⟧`;
  });
  const single = new Set([...body.matchAll(/\{\{(\w+)\}\}/g)].map((match) => match[1] ?? ''));
  const code = body.split(/(⟦[^⟧]*⟧|\{\{[\w.]+\}\})/).reduce((text, piece) => text + codeOf(piece), '');
  const forgotten = code.match(/\{\{.{0,40}|(each|end):\w+/)?.[0];
  if (forgotten !== undefined) throw new Error(`${name}: not understood: ${forgotten}`);
  const fieldLines = [...single].toSorted().map((field) => `  readonly ${field}: string;`);
  const listLines = [...rows].map(
    ([list, fields]) =>
      `  readonly ${list}: readonly { ${[...fields].map((each) => `readonly ${each}: string`).join('; ')} }[];`,
  );
  return [
    `// Generated from mails/${name}.mjml by scripts/generate-mails.ts. Do not edit.`,
    `export interface ${typeName}Values {`,
    ...fieldLines,
    ...listLines,
    '}',
    '',
    '/** Every value goes through `escape`. */',
    `export function fill${typeName}(values: ${typeName}Values, escape: (text: string) => string): string {`,
    `  return (`,
    `    ''${code}`,
    '  );',
    '}',
    '',
  ].join('\n');
}

function codeOf(piece: string): string {
  if (piece === '') return '';
  const each = /^⟦each (\w+)⟧$/.exec(piece)?.[1];
  if (each !== undefined) return ` +\n    values.${each}.map((${each}) => ''`;
  if (piece === '⟦end⟧') return `).join('')`;
  const field = /^\{\{([\w.]+)\}\}$/.exec(piece)?.[1];
  if (field !== undefined) return ` +\n    escape(${field.includes('.') ? field : `values.${field}`})`;
  return ` +\n    ${JSON.stringify(piece)}`;
}

function write(path: string, text: string): void {
  let before = '';
  try {
    before = readFileSync(path, 'utf8');
  } catch {
    // It is new.
  }
  if (before === text) return;
  if (isCheck) stale.push(path.slice(root.length + 1));
  else writeFileSync(path, text);
}
