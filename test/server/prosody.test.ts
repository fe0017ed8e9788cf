/** The SDKs with each other on Prosody. */
import { prosody } from './prosody.ts';
import { describeServer } from './scenario.ts';

describeServer(prosody);
