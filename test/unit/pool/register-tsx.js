/** Lets a worker import TypeScript: the loader of the main thread is not handed down to it. */
import { register } from 'tsx/esm/api';

register();
