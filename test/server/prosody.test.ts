/** The SDKs with each other on Prosody. */
import { startProsody } from './prosody.ts';
import { describeServer } from './scenario.ts';

describeServer('Prosody', 'prosodyctl', startProsody);
