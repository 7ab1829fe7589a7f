// Calls whose fate is unknown, or that fail before they are sent: by the preload's wrapper of `pg` in each worker.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { type Cell, count } from '../cell.ts';
import type { ProcessFaults } from '../process-faults.ts';

function faultyCalls(id: string, title: string, preload: Omit<ProcessFaults, 'seed' | 'switchFile'>): Cell {
  return {
    id,
    title,
    async run(arena) {
      await arena.beginLoad({ settings: arena.settings({ preload }) });
      writeFileSync(arena.switchFile, '');
      await delay(arena.options.seconds * 1000);
      rmSync(arena.switchFile);
      const notes = readFileSync(`${arena.switchFile}.log`, 'utf8').trim().split('\n');
      const injected: Record<string, number> = {};
      for (const note of notes) {
        const kind = note.slice(0, note.indexOf(':'));
        injected[kind] = (injected[kind] ?? 0) + 1;
      }
      return () => ({
        figures: {
          injected: Object.entries(injected)
            .map(([kind, n]) => `${n} ${kind}`)
            .join(', '),
          'given up': String(arena.workers.said('a lane ended early')),
          'worker exits': String(arena.workers.unasked.length),
        },
        bars: [
          count('given up', arena.workers.said('a lane ended early')),
          count('worker exits', arena.workers.unasked.length),
          count('no fault was injected', notes.length > 5 ? 0 : 1),
        ],
      });
    },
  };
}

const unknown = faultyCalls('M12', '5 % of commits and calls done, then the answer and the connection lost', {
  lostAnswers: 0.05,
});
const refused = faultyCalls('M13', '5 % of calls lost before they are sent, 3 % ended by 40001 or 40P01', {
  lostCalls: 0.05,
  conflicts: 0.03,
});

export const FAULTY_CALL_CELLS = [unknown, refused];
