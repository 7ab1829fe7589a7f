// Workflows and their revisions as the API shows them (OpenAPI).
import { Type } from 'typebox';
import { DEFINITION_STATUSES, SAVE_EFFECTS } from '../../core/definition/model.ts';
import { id, instant, nullable, nullableInstant, ProblemEntry, words } from './parts.ts';

/** The name stands for the schema of definitions, which openapi-definition.ts adds. */
const definition = Type.Unsafe<unknown>({ type: 'object', title: 'Definition' });
const warnings = Type.Array(ProblemEntry, { description: 'What is allowed and probably not meant.' });

const workflow = {
  workflowId: Type.String(),
  name: nullable('string'),
  category: Type.String(),
  status: words(DEFINITION_STATUSES, 'Only `active` ones start.'),
  revision: Type.Integer({ description: 'The one that starts take.' }),
  latestRevision: Type.Integer({ description: 'Another than `revision` after a rollback.' }),
  createdAt: instant(),
  updatedAt: instant(),
};

const revision = {
  workflowId: Type.String(),
  revision: Type.Integer(),
  isCurrent: Type.Boolean({ description: 'Starts take this one.' }),
  minTier: Type.Integer({ description: 'Lowest tier of a tenant that may start it.' }),
  version: nullable('string', { description: "The author's own label." }),
  createdBy: nullable('string', { description: 'Who saved it.' }),
  createdAt: instant(),
};

const triggers = Type.Object(
  {
    schedules: Type.Array(
      Type.Object({ id: id(), name: Type.String(), nextRunAt: nullableInstant('Null: none comes.') }),
    ),
    webhooks: Type.Array(
      Type.Object({
        id: id(),
        path: Type.String(),
        url: Type.String(),
        secret: Type.Optional(
          Type.String({ description: 'Only where it has just been made up; in this answer only.' }),
        ),
      }),
    ),
    events: Type.Array(Type.String(), { description: 'Names of event triggers.' }),
    removed: Type.Object(
      {
        schedules: Type.Array(Type.Object({ id: id(), name: Type.String() })),
        webhooks: Type.Array(Type.Object({ id: id(), path: Type.String() })),
        events: Type.Array(Type.String()),
      },
      { description: 'What this left out: it starts nothing more, and comes back as it was.' },
    ),
  },
  { title: 'WorkflowTriggers', description: 'What starts it, as the definition says.' },
);

export const WorkflowSchema = Type.Object(workflow, {
  title: 'Workflow',
  description: 'A workflow, without its definition.',
});
export const WorkflowDetailSchema = Type.Object(
  { ...workflow, definition },
  { title: 'WorkflowDetail', description: 'A workflow with the definition of its current revision.' },
);
export const RevisionSchema = Type.Object(revision, {
  title: 'Revision',
  description: 'A revision, without its definition.',
});
export const RevisionDetailSchema = Type.Object(
  { ...revision, definition },
  { title: 'RevisionDetail', description: 'A revision with its definition.' },
);
export const SavedWorkflowSchema = Type.Object(
  {
    workflowId: Type.String(),
    revision: Type.Integer(),
    status: words(DEFINITION_STATUSES),
    outcome: words(SAVE_EFFECTS),
    warnings,
    triggers,
  },
  { title: 'SavedWorkflow', description: 'What saving a definition has done.' },
);
export const RolledBackSchema = Type.Object(
  { ...workflow, triggers },
  { title: 'RolledBackWorkflow', description: 'The workflow, with the triggers that count now.' },
);
export const ValidationSchema = Type.Object(
  {
    valid: Type.Boolean(),
    workflowId: Type.Optional(Type.String({ description: 'Where it is valid.' })),
    errors: Type.Array(ProblemEntry, { description: 'All of them; empty where it is valid.' }),
    warnings,
    explanation: Type.Optional(Type.String({ description: 'With `explain`, where it is valid.' })),
  },
  { title: 'Validation', description: 'What is wrong with a definition.' },
);
