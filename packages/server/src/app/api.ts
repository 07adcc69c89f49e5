import type { Hono } from 'hono'
import type { MoreCors } from '../http/origin.ts'
import type { Connection, Identify } from '../socket/session.ts'
import type { AppEnv, Deps } from './deps.ts'

/** Another protocol that an app speaks besides its own, over the same threads, runs and logs. */
export interface Api {
  /** Its routes and sockets. Called once, by `createApp`. */
  mount(deps: Deps, identify: Identify): MountedApi
}

/** A protocol over one app. */
export interface MountedApi extends MoreCors {
  /** Mounted at the root. */
  readonly routes: Hono<AppEnv>
  /** Serves a socket; `undefined` when the path is none of its own. */
  openSocket(request: Request, connection: Connection): Session | undefined
  /** Whether sockets of this path are its own. */
  isSocket(path: string): boolean
}

/** One socket that is served. */
export interface Session {
  /** Takes a frame of the client. */
  receive(frame: string): void
  /** The client is gone. */
  leave(): void
}
