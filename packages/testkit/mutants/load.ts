/** `node --import …/load.ts program.ts` with TILL_MUTANT=<id> runs the program with that bug in it. */
import { registerHooks } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { plants } from './plants.ts';
import { mutants } from './catalogue.ts';
import { applyTo, root } from './mutant.ts';

const id = process.env['TILL_MUTANT'];
if (id !== undefined && id !== '') {
  const mutant = [...mutants, ...plants].find((each) => each.id === id);
  if (mutant === undefined) throw new Error(`there is no mutant ${id}`);
  const files = new Map(mutant.patches.map(({ file }) => [pathToFileURL(join(root, file)).href, file]));
  registerHooks({
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context);
      const file = files.get(url);
      if (file === undefined) return loaded;
      if (loaded.source === undefined || loaded.source === null) throw new Error(`${id}: ${file} has no source`);
      files.delete(url);
      return { ...loaded, source: applyTo(Buffer.from(loaded.source as Uint8Array).toString('utf8'), mutant, file) };
    },
  });
  // A bug in a file that the program never loads proves nothing.
  process.on('exit', (code) => {
    if (files.size === 0 || code !== 0) return;
    console.error(`the mutant ${id} was never loaded: ${[...files.values()].join(', ')}`);
    process.exitCode = 3;
  });
}
