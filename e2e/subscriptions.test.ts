import { tellSubscriptions } from './subscriptions.ts';

tellSubscriptions('standalone');
