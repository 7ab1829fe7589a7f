// Whoever reads the output may stop early (`dagwright schema | head`): what is written then goes nowhere, and the command ends
// as it would have. A service that runs on does not end because nobody reads its log.

/** Keeps a closed pipe from ending the process with a stack trace. */
export function outliveClosedReaders(): void {
  for (const stream of [process.stdout, process.stderr])
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
    });
}
