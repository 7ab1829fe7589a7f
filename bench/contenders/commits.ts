// The limit that the machine sets: one row inserted, one commit, nothing else. 16 connections where others do many things
// at a time, one where they go step by step.
import pg from 'pg';
import type { Session, SessionOptions } from '../contender.ts';
import { isChain } from '../workloads.ts';

const CONNECTIONS = 16;

export async function openCommits(url: string, { workload }: SessionOptions): Promise<Session> {
  const concurrency = isChain(workload) && workload.concurrency === 1 ? 1 : CONNECTIONS;
  const pool = new pg.Pool({ connectionString: url, max: concurrency });
  pool.on('error', () => {});
  await pool.query(
    'create table if not exists commits (id bigint generated always as identity primary key, note text not null)',
  );
  let executed = 0;
  return {
    concurrency,
    stepsPerRun: 1,
    bodiesPerRun: 1,
    async run() {
      await pool.query({
        name: 'commit',
        text: 'insert into commits (note) values ($1)',
        values: ['one row'],
      });
      executed++;
    },
    executed: () => executed,
    close: () => pool.end(),
  };
}
