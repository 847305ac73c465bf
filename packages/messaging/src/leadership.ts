import type { Pool, PoolClient } from 'pg';

/** What only one process may do at a time: it holds a session-level advisory lock for as long as it lives. */
export interface Leadership {
  /**
   * The connection that holds the lock, or undefined while another process leads. What the leader does in the database
   * it does on this connection: when the connection breaks, the lock is gone and so is the ability to do harm.
   */
  lead(): Promise<PoolClient | undefined>;
  release(): Promise<void>;
}

/** One leader per name and schema. A leader that crashes is followed as soon as the server sees its connection end. */
export function leadershipOf(pool: Pool, name: string): Leadership {
  let leading: PoolClient | undefined;
  return {
    async lead() {
      if (leading !== undefined) return leading;
      const client = await pool.connect();
      const lose = () => {
        if (leading !== client) return;
        leading = undefined;
        client.release(true);
      };
      try {
        const result = await client.query<{ leads: boolean }>(
          'select pg_try_advisory_lock(hashtext($1), hashtext(current_schema())) as leads',
          [name],
        );
        if (result.rows[0]?.leads !== true) {
          client.release();
          return undefined;
        }
      } catch (error) {
        client.release(true);
        throw error;
      }
      leading = client;
      client.once('error', lose);
      client.once('end', lose);
      return client;
    },
    async release() {
      const client = leading;
      leading = undefined;
      // Closed, not given back: the lock ends with the connection.
      client?.release(true);
    },
  };
}
