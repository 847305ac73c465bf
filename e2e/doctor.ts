/** Asks the doctor as an operator would, and expects that the installation is well. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import type { Product } from './product.ts';

const program = join(import.meta.dirname, '../apps/doctor/src/main.ts');

/** Waits until nothing is on its way any more; throws with what the doctor says when that does not help. */
export async function expectWell(product: Product): Promise<void> {
  let said = '';
  for (let tries = 0; tries < 60; tries += 1) {
    const { code, output } = await ask(product.data);
    if (code === 0) return;
    said = output;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  throw new Error(said.replaceAll(/^✓.*\n/gm, ''));
}

function ask(data: string): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [program, '--data', data, '--grace', '0'], (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code ?? 2), output: `${stdout}${stderr}` }),
    );
  });
}
