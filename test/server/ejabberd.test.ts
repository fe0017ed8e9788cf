/** The SDKs with each other on ejabberd. */
import { startEjabberd } from './ejabberd.ts';
import { describeServer } from './scenario.ts';

describeServer('ejabberd', 'ejabberdctl', startEjabberd);
