/** Stories that once broke a sentence. They are kept, and `npm test` tells them again. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Violation } from './invariants/judge.ts';
import type { Story } from './story.ts';

const folder = join(import.meta.dirname, '..', 'stories');

export interface KeptStory {
  /** What it broke when it was found. */
  readonly broke: string;
  readonly sentence: string;
  /** What was wrong, once somebody knows. */
  readonly because?: string;
  readonly story: Story;
}

export function readStory(file: string): KeptStory {
  const kept: KeptStory = JSON.parse(readFileSync(file, 'utf8'));
  return kept;
}

export function keepStory(story: Story, { invariant, sentence }: Violation): string {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${invariant.toLowerCase()}-${story.seed}.json`);
  writeFileSync(file, `${JSON.stringify({ broke: invariant, sentence, story }, undefined, 2)}\n`);
  return file;
}

export function keptStories(): readonly string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .toSorted()
    .map((name) => join(folder, name));
}
