/** The SDKs with each other on ejabberd. */
import { ejabberd } from './ejabberd.ts';
import { describeServer } from './scenario.ts';

describeServer(ejabberd);
