// The rules of the files in deploy/: nobody has more than its work takes, and what must be given has a way in.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { readConfig } from '../../src/cli/settings/config.ts';

const DEPLOY = fileURLToPath(new URL('../../deploy/', import.meta.url));
const read = (file: string) => readFileSync(join(DEPLOY, file), 'utf8');
const KEYS = ['DAGWRIGHT_ADMIN_KEY', 'DAGWRIGHT_ENCRYPTION_KEY'];

interface Container {
  readonly name: string;
  readonly args: readonly string[];
  readonly envFrom: readonly {
    readonly secretRef?: { readonly name: string; readonly optional?: boolean };
    readonly configMapRef?: { readonly name: string };
  }[];
  readonly ports?: readonly { readonly name: string; readonly containerPort: number }[];
  readonly readinessProbe?: { readonly httpGet: { readonly port: string } };
  readonly livenessProbe?: { readonly httpGet: { readonly port: string } };
  readonly securityContext: object;
}
interface Resource {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly data?: Readonly<Record<string, string>>;
  readonly spec: {
    readonly replicas?: number;
    readonly minAvailable?: number;
    readonly selector?: { readonly matchLabels: Readonly<Record<string, string>> };
    readonly ports?: readonly { readonly targetPort: string }[];
    readonly template: {
      readonly metadata?: { readonly labels: Readonly<Record<string, string>> };
      readonly spec: { readonly containers: readonly Container[] } & Readonly<Record<string, unknown>>;
    };
  };
}

describe('deploy/kubernetes.yaml', () => {
  const resources = parseAllDocuments(read('kubernetes.yaml')).map((document) => {
    expect(document.errors).toEqual([]);
    return document.toJS() as Resource;
  });
  const ofKind = (kind: string) => resources.filter((one) => one.kind === kind);
  const pods = [...ofKind('Job'), ...ofKind('Deployment')].map(({ metadata, spec }) => ({
    ...{ name: metadata.name, pod: spec.template.spec, container: spec.template.spec.containers[0]! },
  }));
  const secretsOf = ({ container }: (typeof pods)[number]) =>
    container.envFrom.flatMap(({ secretRef }) => secretRef?.name ?? []);
  const podOf = (role: string) => pods.find(({ container }) => container.name === role)!;

  it('has a job that migrates, and workers, an API and schedulers', () => {
    expect(pods.map(({ container }) => container.name)).toEqual(['migrate', 'worker', 'api', 'scheduler']);
    for (const { pod } of pods) expect(pod.containers).toHaveLength(1);
  });

  it('gives each kind of process a login of its own', () => {
    const logins = ['deploy', 'worker', 'api', 'scheduler'].map((login) => `dagwright-${login}`);
    expect(pods.map((pod) => secretsOf(pod).filter((name) => logins.includes(name)))).toEqual(
      logins.map((login) => [login]),
    );
  });

  it("gives the operator's key and the key of sealed secrets to the API alone", () => {
    const made = read('kubernetes.yaml').replaceAll(/\\\n#\s*/g, '');
    const holders = [...made.matchAll(/create secret generic (\S+) ([^\n]*)/g)]
      .filter(([, , literals]) => KEYS.some((key) => literals!.includes(key)))
      .map(([, name]) => name);
    expect(holders).toEqual(['dagwright-api-keys']);
    expect(
      pods.filter((pod) => secretsOf(pod).includes('dagwright-api-keys')).map(({ name }) => name),
    ).toEqual(['dagwright-api']);
  });

  it('has a way in for keys of models and for secrets, which need not be there', () => {
    const optional = ({ container }: (typeof pods)[number]) =>
      container.envFrom.flatMap(({ secretRef }) => (secretRef?.optional === true ? secretRef.name : []));
    expect(optional(podOf('worker'))).toEqual(['dagwright-worker-secrets']);
    expect(optional(podOf('api'))).toEqual(['dagwright-api-secrets']);
  });

  it('tells all services the public URL and the port of health and metrics, which is in no Service', () => {
    const [config] = ofKind('ConfigMap');
    expect(config!.data).toMatchObject({ DAGWRIGHT_PUBLIC_URL: expect.stringMatching(/^https:/) });
    const metrics = Number(config!.data!.DAGWRIGHT_METRICS_PORT);
    for (const role of ['worker', 'api', 'scheduler']) {
      const { container } = podOf(role);
      expect(container.envFrom).toContainEqual({ configMapRef: { name: config!.metadata.name } });
      expect(container.ports).toContainEqual({ name: 'metrics', containerPort: metrics });
      expect(container.readinessProbe?.httpGet.port).toBe('metrics');
      expect(container.livenessProbe?.httpGet.port).toBe('metrics');
    }
    expect(ofKind('Service').flatMap(({ spec }) => spec.ports!.map(({ targetPort }) => targetPort))).toEqual([
      'http',
    ]);
    expect(readConfig(config!.data!, '/').ok).toBe(true);
  });

  it.each(pods.map((pod) => [pod.name, pod] as const))('%s may do nothing but its work', (_, pod) => {
    expect(pod.pod).toMatchObject({
      automountServiceAccountToken: false,
      securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
    });
    expect(pod.container.securityContext).toEqual({
      readOnlyRootFilesystem: true,
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
    });
  });

  it('keeps one of each kind while nodes are drained', () => {
    const budgets = ofKind('PodDisruptionBudget');
    for (const { metadata, spec } of ofKind('Deployment')) {
      const budget = budgets.find(({ metadata: { name } }) => name === metadata.name);
      expect(budget?.spec.selector?.matchLabels).toEqual(spec.template.metadata?.labels);
      // One that allows nobody to go would hold the drain up for ever.
      expect(budget!.spec.minAvailable).toBeGreaterThan(0);
      expect(budget!.spec.minAvailable).toBeLessThan(spec.replicas!);
    }
  });
});

describe('deploy/compose.yaml', () => {
  interface Service {
    readonly environment: Readonly<Record<string, string | number>>;
    readonly env_file?: readonly { readonly path: string; readonly required: boolean }[];
    readonly security_opt?: readonly string[];
    readonly cap_drop?: readonly string[];
    readonly read_only?: boolean;
    readonly ports?: readonly string[];
    readonly healthcheck?: unknown;
  }
  const { services } = parse(read('compose.yaml'), { merge: true }) as {
    services: Readonly<Record<string, Service>>;
  };
  const loginOf = (name: string) => new URL(String(services[name]!.environment.DATABASE_URL)).username;

  it('gives each kind of process a login of its own, and the administrator to none', () => {
    expect(['migrate', 'worker', 'api', 'scheduler'].map(loginOf)).toEqual([
      'dagwright_deploy',
      'dagwright_worker',
      'dagwright_api',
      'dagwright_scheduler',
    ]);
    const holders = Object.entries(services)
      .filter(([, { environment }]) => JSON.stringify(environment).includes('POSTGRES_PASSWORD'))
      .map(([name]) => name);
    expect(holders).toEqual(['database', 'logins']);
  });

  it("gives the operator's key and the key of sealed secrets to the API alone", () => {
    for (const key of KEYS)
      expect(
        Object.entries(services)
          .filter(([, { environment }]) => key in environment)
          .map(([name]) => name),
      ).toEqual(['api']);
  });

  it('has a way in for keys of models and for secrets, and tells where the API is reached', () => {
    expect(services.worker!.env_file).toEqual([{ path: 'worker.env', required: false }]);
    expect(services.api!.env_file).toEqual([{ path: 'api.env', required: false }]);
    for (const name of ['worker', 'api'])
      expect(services[name]!.environment.DAGWRIGHT_PUBLIC_URL).toMatch(/DAGWRIGHT_PUBLIC_URL/);
  });

  it('is reached from this machine only, and its services can do little', () => {
    const published = Object.values(services).flatMap(({ ports = [] }) => ports);
    expect(published).toEqual(['127.0.0.1:3000:3000']);
    for (const name of ['logins', 'migrate', 'worker', 'api', 'scheduler'])
      expect([name, services[name]]).toEqual([
        name,
        expect.objectContaining({
          ...{ read_only: true, cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'] },
        }),
      ]);
  });

  it('makes every password that it asks for in a form that URLs take', () => {
    const text = read('compose.yaml');
    const asked = [...text.matchAll(/\$\{(\w+_PASSWORD)/g)].map(([, name]) => name!);
    expect(text).toContain('openssl rand -hex 24');
    const loop = /for n in ([A-Z ]+); do echo "\$\{n\}_PASSWORD/.exec(text)![1]!.split(' ');
    expect(loop.map((name) => `${name}_PASSWORD`).sort()).toEqual([...new Set(asked)].sort());
  });
});
