// The rules between rooms (docs/architecture.md), checked on the imports and words of every source file. Each complaint
// says what to do instead.
import { globSync, readFileSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';

const root = join(import.meta.dirname, '..');
const packagesMayImport: Record<string, readonly string[]> = {
  proto: [],
  machine: [],
  money: [],
  calendar: [],
  instrument: ['proto'],
  pricing: ['money'],
  vault: [],
  embedded: [],
  telemetry: [],
  database: ['telemetry'],
  messaging: ['machine', 'database', 'telemetry'],
  jobs: ['database', 'messaging', 'telemetry'],
  'memory-postgres': ['database'],
  'public-api': ['proto', 'instrument'],
  rpc: ['proto', 'telemetry'],
  service: ['database', 'messaging', 'proto', 'rpc', 'telemetry'],
};
// Rooms of a service that do not know each other: app.ts joins them, and src/ports.ts declares the types that they share.
const closedRooms = ['inbound', 'outbound', 'workers'];
const messagingTables =
  /\b(from|into|update|join|table)\s+"?(outbox|inbox|timer|timer_lease|fired_timer|parked_message)"?\b|(insertInto|updateTable|deleteFrom|selectFrom)\('(outbox|inbox|timer|parked_message)/;

const complaints: string[] = [];
const keeperTables = new Map<string, Set<string>>();
const writes: { file: string; app: string; table: string }[] = [];

const files = globSync('{apps,packages}/*/src/**/*.ts', { cwd: root }).filter(
  (file) => !file.startsWith('packages/proto/') && !file.includes('.gen'),
);
for (const file of files.toSorted()) check(file, readFileSync(join(root, file), 'utf8'));
for (const { file, app, table } of writes) {
  if (keeperTables.get(app)?.has(table) && !basename(file).endsWith('-keeper.ts')) {
    complaints.push(
      `${file}: writes "${table}", a machine's table. Send the machine a command through perform instead.`,
    );
  }
}
if (keeperTables.size === 0) complaints.push('no keeper was found: this program no longer sees what it checks.');
for (const text of complaints) console.error(text);
console.log(`rooms: ${files.length} files, ${complaints.length} complaints`);
process.exitCode = complaints.length === 0 ? 0 : 1;

function check(file: string, text: string): void {
  const [kind = '', name = '', , room = ''] = file.split('/');
  const isTest = file.endsWith('.test.ts');
  const complain = (what: string) => complaints.push(`${file}: ${what}`);
  const code = text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '');
  const imports = [...code.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map((match) => match[1] ?? '');
  const lines = text.split('\n').length;

  if (lines > 401) complain(`${lines} lines. Split it by noun; no file by hand is longer than 400.`);
  if (basename(file) === 'index.ts') complain('a barrel file. Export by sub-path instead.');

  for (const target of imports) {
    const own = target.match(/^@tillstream\/([a-z-]+)(?:\/(.*))?$/);
    if (own !== null) {
      const [, to = '', path] = own;
      const isApp = globSync(`apps/${to}/package.json`, { cwd: root }).length > 0;
      if (isApp && !(name === 'standalone' && path === 'app'))
        complain(`imports the app ${to}. Apps meet in proto/; only standalone joins them, by their app.ts.`);
      if (to === 'testkit' && !isTest && name !== 'testkit') complain('imports testkit, which is for tests only.');
      const allowed = kind === 'packages' && name !== 'testkit' && !isTest ? packagesMayImport[name] : undefined;
      if (allowed !== undefined && to !== name && !allowed.includes(to))
        complain(`${name} may not import ${to}. See the table of packages in docs/architecture.md.`);
    }
    const there = target.startsWith('.') ? relative(root, resolve(root, dirname(file), target)).split('/') : [];
    if (there.length > 0 && there[1] !== name)
      complain(`reaches into ${there.slice(0, 2).join('/')}. Import the package by its name.`);
    const otherRoom = there[3] ?? '';
    if (kind === 'apps' && closedRooms.includes(room) && closedRooms.includes(otherRoom) && otherRoom !== room)
      complain(`${room} imports ${otherRoom}. Let app.ts join them; a type that both need belongs in src/ports.ts.`);
    if (kind === 'apps' && room === 'ports.ts' && closedRooms.includes(otherRoom))
      complain(`ports.ts imports ${otherRoom}. It declares types; it may import domain/, proto and packages.`);
    if (
      room === 'domain' &&
      !isTest &&
      there[3] !== 'domain' &&
      !/^@tillstream\/((machine|money|calendar|pricing)\/|instrument\/instrument$)/.test(target)
    ) {
      complain(
        `domain imports ${target}. It may import its siblings, machine, money, calendar, pricing and instrument/instrument; pass everything else in.`,
      );
    }
    if ((room === 'inbound' || room === 'workers') && /^(kysely|pg)$/.test(target))
      complain(`${room} imports the database. Move the SQL to outbound.`);
    if (kind === 'apps' && /^(kafkajs|@tillstream\/messaging\/(relay|consumer)$)/.test(target))
      complain(`imports ${target}. Only messaging touches carriers.`);
  }
  if (room === 'domain' && !isTest) {
    const impure = code.match(
      /\bawait\b|Date\.now\(|new Date\(\)|Math\.random|\bprocess\.|crypto\.random|Temporal\.Now/,
    );
    if (impure !== null) complain(`domain uses ${impure[0]}. Pass time, ids and randomness in with the command.`);
  }
  if (kind === 'apps' && basename(file) !== 'main.ts' && /\bprocess\.(env|argv|exit|on)\b/.test(code))
    complain('uses process. Only main.ts does; pass what is needed as an argument.');
  if (kind === 'apps' && messagingTables.test(code))
    complain('touches a table of messaging. Use perform, announce, firstSight or schedule.');
  if (/everyMerchant(?:Statement)?\(\s*[^'"`\s]/.test(code) && kind === 'apps')
    complain('everyMerchant without a written reason. Say in a literal why tenant scope is left.');
  // The machine's table is the one whose rows its keeper locks to load them; kysely and plain SQL write alike.
  if (basename(file).endsWith('-keeper.ts')) {
    for (const [, plain, built] of code.matchAll(
      /from (\w+)\b[^`]*?\bfor (?:no key )?update\b|selectFrom\('(\w+)'\)[^;]*?forUpdate/g,
    )) {
      keeperTables.set(name, (keeperTables.get(name) ?? new Set()).add(plain ?? built ?? ''));
    }
  }
  const sql =
    /(?:insertInto|updateTable|deleteFrom)\('(\w+)'|\b(?:insert into|delete from) (\w+)|\bupdate (\w+)(?: \w+)? set\b/g;
  for (const [, ...tables] of code.matchAll(sql)) {
    const table = tables.find((each) => each !== undefined) ?? '';
    writes.push({ file, app: name, table });
  }
}
