// What parameters are whose routes say nothing of them: the same name means the same everywhere.
const OF_PATHS: Readonly<Record<string, string>> = {
  id: 'Its id.',
  eventId: 'Id of the event.',
  workflowId: 'Name of the workflow.',
  revision: 'Number of the revision.',
  name: 'Its name.',
  part: 'Which part of it.',
  token: 'What the callback URL ends with.',
  provider: 'Name of the provider.',
};
const OF_QUERIES: Readonly<Record<string, string>> = {
  explain: 'Say in words when each task runs, and what it has by defaults.',
  status: 'Only those of this status.',
  category: 'Only those of this category.',
  type: 'Only those of this type.',
  workflowId: 'Only those of this workflow.',
  taskId: 'Only those of this task.',
  provider: 'Only those of this provider.',
  count: 'How many.',
};

interface Parameter {
  readonly in?: string;
  readonly name?: string;
  readonly description?: string;
}

/** With a description, where one is known. */
export function describedParameter<Given extends Parameter>(parameter: Given): Given {
  const { in: place, name = '', description } = parameter;
  const known = place === 'path' ? OF_PATHS[name] : place === 'query' ? OF_QUERIES[name] : undefined;
  return description !== undefined || known === undefined ? parameter : { ...parameter, description: known };
}
