// The values of secrets that settings hold.
import type { Config } from './config.ts';

/** What must stand in no line of a log. A password that is the user's name is none, and a usual word. */
export function secretsOf({ outside, http, server, databaseUrl, directDatabaseUrl }: Config): string[] {
  const passwords = [databaseUrl, directDatabaseUrl].flatMap((url) => {
    if (url === undefined) return [];
    const { username, password } = new URL(url);
    return password === username ? [] : [password, decoded(password)];
  });
  const keys = [...(outside.providers?.values() ?? [])].flatMap(({ apiKey }) => apiKey ?? []);
  const own = [http.adminKey, server.key].flatMap((key) => key ?? []);
  return [...(outside.secrets?.values ?? []), ...keys, ...passwords, ...own];
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
