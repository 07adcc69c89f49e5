import type { Client } from '@rivulet/client'

/**
 * Keys under which a client's threads are cached; each begins with the one before it, so that one invalidates all
 * below.
 */
export const queryKeys: {
  /** Everything of this client. */
  all: (client: Client) => readonly ['rivulet', string]
  /** Its lists of threads. */
  threads: (client: Client) => readonly ['rivulet', string, 'threads']
  /** One thread, with all that belongs to it. */
  thread: (client: Client, id: string) => readonly ['rivulet', string, 'thread', string]
} = {
  all: (client) => ['rivulet', client.id],
  threads: (client) => ['rivulet', client.id, 'threads'],
  thread: (client, id) => ['rivulet', client.id, 'thread', id],
}
