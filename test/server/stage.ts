/**
 * One server for a test file, and people of its own for each test: servers keep what a session left behind, and give it
 * to the next session of the same account.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect } from 'vitest';
import {
  E2eSession,
  ReplayGuard,
  type SecurityBackend,
  type SessionEvents,
  type SessionOptions,
} from '../../src/index.ts';
import type { Actor, Connect, ConnectOptions } from './actor.ts';
import { type BackendKind, backendsFor } from './keys.ts';
import { connectStanzaJs } from './stanza-js-actor.ts';
import { connectStrophe } from './strophe-actor.ts';
import { connectXmppJs } from './xmpp-js-actor.ts';
import { installed, type XmppServer } from './xmpp-server.ts';

const connects = {
  'xmpp.js': connectXmppJs,
  stanza: connectStanzaJs,
  strophe: connectStrophe,
} as const satisfies Record<string, Connect>;

/** An SDK. */
export type Sdk = keyof typeof connects;

export const sdks = Object.keys(connects) as readonly Sdk[];

/** Who is in every test. */
export type Role = 'alice' | 'bob' | 'carl';

const roles: readonly Role[] = ['alice', 'bob', 'carl'];

/** What a person brings. */
export interface EnterOptions extends ConnectOptions {
  readonly backend?: BackendKind;
  readonly session?: Partial<SessionOptions>;
}

/** What a test has. */
export interface Stage {
  readonly server: XmppServer;
  /** The bare JID of somebody in this test; nobody has an account for Nora. */
  jid(role: Role | 'nora'): string;
  backend(role: Role | 'nora', kind?: BackendKind): Promise<SecurityBackend>;
  /** Connects somebody, with a session of their own. */
  readonly enter: (sdk: Sdk, role: Role, resource: string, options?: EnterOptions) => Promise<Actor>;
  /** Does something after everybody in this test has left. */
  afterwards(act: () => Promise<void>): void;
  /** What the sessions of this test refused. */
  readonly refused: readonly SessionEvents['refused'][];
  readonly nothingRefused: () => void;
}

/** A server that may be installed. */
export interface ServerKind {
  readonly name: string;
  /** The program that is there if the server is. */
  readonly program: string;
  start(accounts: readonly string[]): Promise<XmppServer>;
}

/** Runs tests on a server, `tests` of them at most. */
export function onServer(kind: ServerKind, tests: number, define: (stage: Stage) => void): void {
  describe.skipIf(!installed(kind.program))(kind.name, { timeout: 900_000 }, () => {
    let server: XmppServer | undefined;
    let act = -1;
    let backends = new Map<BackendKind, Promise<ReadonlyMap<string, SecurityBackend>>>();
    const refused: SessionEvents['refused'][] = [];
    const stops: (() => Promise<void>)[] = [];
    const later: (() => Promise<void>)[] = [];

    beforeAll(async () => {
      const acts = Array.from({ length: tests }, (_, i) => i);
      server = await kind.start(acts.flatMap((i) => roles.map((role) => `${role}${i}`)));
    });
    afterAll(() => server?.stop());
    beforeEach(() => {
      if (++act >= tests) throw new Error(`more than ${tests} tests on one server`);
      backends = new Map();
      refused.splice(0);
    });
    afterEach(async () => {
      await Promise.allSettled(stops.splice(0).map((stop) => stop()));
      await Promise.all(later.splice(0).map((act) => act()));
    });

    const user = (role: string): string => `${role}${act}`;
    const jid = (role: string): string => `${user(role)}@localhost`;
    const stage: Stage = {
      get server() {
        return server!;
      },
      jid,
      afterwards: (step) => void later.push(step),
      refused,
      nothingRefused: () => expect(refused.map(({ error }) => error.toJSON())).toEqual([]),
      async backend(role, of = 'openpgp') {
        const made = backends.get(of) ?? backendsFor(of, [...roles, 'nora'].map(jid));
        backends.set(of, made);
        return (await made).get(jid(role))!;
      },
      async enter(sdk, role, resource, { backend, session: options, ...connect } = {}) {
        const mine = [await stage.backend(role, backend)];
        const session = new E2eSession({ jid: jid(role), backends: mine, replay: new ReplayGuard(), ...options });
        session.on('refused', (event) => refused.push(event));
        const actor = await connects[sdk](stage.server, user(role), session, { resource, ...connect });
        stops.push(() => actor.stop());
        return actor;
      },
    };
    define(stage);
  });
}
