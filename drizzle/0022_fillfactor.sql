-- A task's row is written three times, a run's row grows with its counters: with less room the last write of some went to another page,
-- with all indexes (docs/performance.md). Pages that are there stay as they are.
alter table dagwright.task_executions set (fillfactor = 60);
--> statement-breakpoint
alter table dagwright.workflow_executions set (fillfactor = 60);
