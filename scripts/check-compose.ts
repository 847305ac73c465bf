// docker-compose.yml against the programs: every app is there, every key that is set is a setting of its app, and what is
// set on a laptop is a complete configuration. So nobody needs a container engine to find a typo.
import { existsSync, globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parse } from 'yaml';
import { migrateSettings, shopSettings } from '../apps/standalone/src/config.ts';
import { homes } from '../apps/standalone/src/product.ts';
import { commonSettings, readConfig } from '../packages/service/src/config.ts';

type Shape = Parameters<typeof readConfig>[0];
interface Service {
  readonly image: string;
  readonly build?: { readonly args: { readonly APP: string } };
  readonly entrypoint?: readonly string[];
  readonly depends_on?: Readonly<Record<string, object>>;
  readonly environment?: Readonly<Record<string, string>>;
}

const root = join(import.meta.dirname, '..');
const text = readFileSync(join(root, 'docker-compose.yml'), 'utf8');
const { services }: { services: Record<string, Service> } = parse(text, { merge: true });
const shapes = new Map<string, Shape>([
  ['migrate', migrateSettings],
  ['open-shop', shopSettings],
]);
const complaints: string[] = [];
for (const app of globSync('apps/*', { cwd: root }).map((path) => basename(path))) {
  // One joins all the others, in the place of another there is a mail server, and the doctor comes when called.
  if (app === 'standalone' || app === 'mailbox' || app === 'doctor') continue;
  const { settings }: { settings: Shape } = await import(`../apps/${app}/src/config.ts`);
  shapes.set(app, commonSettings.extend(settings.shape));
  if (services[app] === undefined) complaints.push(`${app}: the app is missing`);
}
for (const [name, service] of Object.entries(services)) {
  for (const other of Object.keys(service.depends_on ?? {})) {
    if (services[other] === undefined) complaints.push(`${name}: depends on ${other}, which is not there`);
  }
  const shape = shapes.get(name);
  if (shape !== undefined) checkProgram(name, service, shape);
  else if (service.image.startsWith('tillstream/')) complaints.push(`${name}: there is no such app`);
}
for (const complaint of complaints) console.error(`docker-compose.yml: ${complaint}`);
console.log(`compose: ${Object.keys(services).length} services, ${complaints.length} complaints`);
process.exitCode = complaints.length === 0 ? 0 : 1;

function checkProgram(name: string, service: Service, shape: Shape): void {
  const complain = (what: string) => complaints.push(`${name}: ${what}`);
  const app = /^tillstream\/([a-z-]+):/.exec(service.image)?.[1] ?? '';
  if (service.build !== undefined && service.build.args.APP !== app) complain(`its image is built of another app`);
  const main = service.entrypoint?.at(-1) ?? 'src/main.ts';
  if (!existsSync(join(root, 'apps', app, main))) complain(`${app} has no ${main}`);
  const environment: Record<string, string> = {};
  for (const [key, value] of Object.entries(service.environment ?? {})) {
    // As compose reads it where nothing is set.
    environment[key] = value.replaceAll(/\$\{\w+:?-([^}]*)\}/g, '$1');
    if (![key, key.replace(/_FILE$/, '')].some((each) => each in shape.shape)) complain(`${key} is no setting of it`);
  }
  try {
    readConfig(shape, environment);
  } catch (error) {
    complain(error instanceof Error ? error.message : 'its configuration is wrong');
  }
  const role = /^postgres:\/\/(\w+):/.exec(environment['DATABASE_URL'] ?? '')?.[1];
  const wanted = homes.find((home) => home.name === name)?.role;
  if (role !== wanted) complain(`DATABASE_URL is of ${role ?? 'nobody'} instead of ${wanted ?? 'nobody'}`);
}
