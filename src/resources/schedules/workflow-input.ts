// What must hold between a schedule and its workflow: it is there, and takes the schedule's input.
import type pg from 'pg';
import { quoteText } from '../../core/definition/quote-text.ts';
import { applyDefaults, compileSchema } from '../../core/definition/schema/input-schema.ts';
import type { Json } from '../../core/json.ts';
import type { ScheduleFields } from '../../core/schedule/settings.ts';
import { findWorkflow } from '../../db/resources/definitions.ts';
import { done, invalid, type Outcome } from '../outcome.ts';

/** The revision that a start takes now. A schema that cannot be used refuses nothing: a worker judges it. */
export async function checkWorkflow(
  client: pg.ClientBase,
  tenantId: string,
  { workflowId, input = {} }: Pick<ScheduleFields, 'workflowId' | 'input'>,
): Promise<Outcome<number>> {
  const workflow = await findWorkflow(client, tenantId, workflowId);
  if (workflow === null)
    return invalid([
      {
        pointer: '/workflowId',
        code: 'not_found',
        message: `there is no workflow ${quoteText(workflowId)}`,
        hint: 'apply its definition first',
      },
    ]);
  const { revision, definition } = workflow;
  const schema = definition.inputSchema === undefined ? null : compileSchema(definition.inputSchema as Json);
  const problems =
    schema?.ok === true ? schema.value.validate(applyDefaults(definition.defaultParameters, input)) : [];
  if (problems.length === 0) return done(revision);
  return invalid(problems.map((problem) => ({ ...problem, pointer: `/input${problem.pointer}` })));
}
