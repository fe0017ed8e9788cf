/** Writes all vector files. Keys and messages are new each time; expectations are written by hand. */
import { addresses, instants, payloads, xml } from './formats.ts';
import { writeSuite } from './suite.ts';

for (const suite of [addresses, instants, xml, payloads]) writeSuite(suite);
