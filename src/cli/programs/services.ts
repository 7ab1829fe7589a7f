// dagwright services …
import { CALLS, INTERVAL_SECONDS } from '../../resources/service-limits.ts';
import { action, type Command, command, group, seconds, wholeNumber } from '../command.ts';
import { listLimits, removeLimit, resetBreaker, setLimit } from '../commands/services.ts';

const calls = wholeNumber(CALLS.minimum, CALLS.maximum);
const interval = seconds(INTERVAL_SECONDS.minimum, INTERVAL_SECONDS.maximum);

export function addServiceLimitCommands(program: Command): void {
  const services = group(
    program,
    'services',
    'limits of outside services, shared by all workers, and their circuit breakers',
  );
  command(services, 'list', 'services that are limited or held back').action(action(listLimits));
  command(services, 'set', 'limit a service; what is not named stays as it is')
    .argument('<service>', 'a provider, a host, or the serviceId of definitions')
    .option('--max-concurrency <n>', 'calls at once', calls)
    .option('--rate <n>', 'calls that may start within any --per seconds', calls)
    .option('--per <seconds>', 'with --rate', interval)
    .action(action(setLimit));
  command(services, 'remove', 'lift all limits of a service')
    .argument('<service>')
    .action(action(removeLimit));
  command(services, 'reset', 'close the circuit breaker of a service, end its pause')
    .argument('<service>')
    .action(action(resetBreaker));
}
