// Where the demo's worker begins: the command as it is, which ends besides when the process that started it is gone, however that
// ended. `start` itself minds its parent only under npm: who runs it in the background wants it to stay.
process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
// Nor is the channel a reason to stay.
process.channel?.unref();
await import('../../main.ts');
