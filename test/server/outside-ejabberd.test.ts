/** What stays outside, on ejabberd. */
import { ejabberd } from './ejabberd.ts';
import { describeOutside } from './outside.ts';

describeOutside(ejabberd);
