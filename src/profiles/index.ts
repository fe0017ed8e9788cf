/** The subpath `xmpp-e2e/profiles`: the ways of foreign clients, each to be passed by whoever wants it. */

export { kontalk } from './kontalk.ts';
