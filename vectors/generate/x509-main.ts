/** Writes the vector files of certification paths and S/MIME entities, which are the same in every run. */
import { entitySuite } from './entities.ts';
import { pathSuite } from './paths.ts';
import { writeSuite } from './suite.ts';
import { verdictSuite } from './verdicts.ts';

writeSuite(pathSuite());
writeSuite(entitySuite());
writeSuite(verdictSuite());
