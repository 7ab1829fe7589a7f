// The groups of operations, in the order in which readers meet them.
export const TAGS = [
  ['workflows', 'Definitions and their revisions.'],
  ['executions', 'Runs of a workflow: start, read, follow, signal, pause, cancel.'],
  ['callbacks', 'Answers of outside services to calls that wait for one.'],
  ['reviews', 'What people are asked, and what they decide.'],
  ['events', 'What happened elsewhere and starts the workflows that ask for it.'],
  ['schedules', 'What starts workflows by the clock.'],
  ['webhooks', 'Addresses where outside services deliver, and what they delivered.'],
  ['variables', 'Values that definitions read as `variables.NAME`.'],
  ['stats', "A tenant's executions in numbers."],
  ['pricing', 'What models cost.'],
  ['service limits', 'Limits of outside services, and their circuit breakers.'],
  ['keys', 'Keys of this API.'],
  ['tenants', 'The units of isolation.'],
  ['audit', 'Who changed what.'],
  ['operation', 'For whoever runs the service: health, metrics, this description.'],
] as const satisfies readonly (readonly [name: string, description: string])[];

export const describedTags = () => TAGS.map(([name, description]) => ({ name, description }));
