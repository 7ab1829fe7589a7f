// Peers that cannot be installed. The npm that is called is one of ours, which refuses: no registry is asked.
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { installPeers } from '../../bench/peers.ts';

const { PATH } = process.env;
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'dagwright-peers-'));
  writeFileSync(join(folder, 'npm'), '#!/bin/sh\nexit 1\n');
  chmodSync(join(folder, 'npm'), 0o755);
  process.env.PATH = `${folder}:${PATH}`;
  writeFileSync(join(folder, 'package.json'), '{ "dependencies": { "openworkflow": "0.10.1" } }');
});
afterEach(() => {
  process.env.PATH = PATH;
  rmSync(folder, { recursive: true, force: true });
});

describe('peers that npm cannot install', () => {
  it('are said to be left out, and the benchmark goes on', async () => {
    const notes: string[] = [];
    const note = (text: string) => void notes.push(text);
    const { signal } = new AbortController();
    expect(await installPeers({ note, signal, folder: pathToFileURL(`${folder}/`) })).toEqual([]);
    expect(notes).toEqual([
      'Installing openworkflow@0.10.1 into bench/node_modules',
      expect.stringMatching(/^npm could not install the peers \(exit code 1\): try "npm ci" in /),
      'dbos is left out: @dbos-inc/dbos-sdk could not be installed',
      expect.stringMatching(/^restate is left out: @restatedev\/restate-server, @restatedev\/restate-sdk, /),
      'openworkflow is left out: openworkflow, postgres could not be installed',
    ]);
  });

  it('end the benchmark where it is interrupted', async () => {
    const signal = AbortSignal.abort();
    await expect(installPeers({ note() {}, signal, folder: pathToFileURL(`${folder}/`) })).rejects.toThrow();
  });
});
