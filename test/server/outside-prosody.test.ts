/** What stays outside, on Prosody. */
import { describeOutside } from './outside.ts';
import { prosody } from './prosody.ts';

describeOutside(prosody);
