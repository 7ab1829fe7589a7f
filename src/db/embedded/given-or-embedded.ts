// The database that is worked with: the one that is given, or the embedded server, started where needed.
import { openEmbedded } from './server.ts';

export interface Given {
  readonly databaseUrl: string | undefined;
  /** The way past its pooler. */
  readonly directDatabaseUrl: string | undefined;
  /** Folder of the embedded server. */
  readonly home: string;
}

export interface OpenedServer {
  readonly url: string;
  readonly directUrl: string;
  readonly isEmbedded: boolean;
  stop(): Promise<void>;
}

/** `ephemeral`: a throw-away embedded one, whatever is given. */
export async function openServer(
  { databaseUrl, directDatabaseUrl, home }: Given,
  options: { readonly ephemeral?: boolean; readonly onProgress?: (text: string) => void },
): Promise<OpenedServer> {
  const { ephemeral = false, onProgress } = options;
  if (databaseUrl !== undefined && !ephemeral)
    return {
      url: databaseUrl,
      directUrl: directDatabaseUrl ?? databaseUrl,
      isEmbedded: false,
      stop: async () => {},
    };
  const server = await openEmbedded({ home, ephemeral, onProgress });
  if (server.started) for (const note of server.notes) onProgress?.(note);
  const { url } = server;
  return { url, directUrl: url, isEmbedded: true, stop: () => server.stop() };
}
