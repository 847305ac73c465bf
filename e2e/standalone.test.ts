import { tellStories } from './stories.ts';

tellStories('standalone');
