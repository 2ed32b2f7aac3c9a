/** docker-compose.yml stays in step with the configuration, without a Docker to run it: it is parsed and compared. */
import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { loadConfiguration, requireSettings, type SettingName } from '../../runtime/configuration.ts';
import { serverSettings } from '../../runtime/server-settings.ts';
import { workerSettings } from '../../runtime/worker-settings.ts';

interface Service {
  image: string;
  command?: string[];
  environment?: Record<string, string>;
  secrets?: (string | { source: string; target: string })[];
  volumes?: string[];
  profiles?: string[];
  build?: { dockerfile: string };
}

const root = join(import.meta.dirname, '..', '..');
let services: Record<string, Service>;
let compose: { services: Record<string, Service>; volumes: object; secrets: Record<string, { file: string }> };

beforeAll(async () => {
  // As Compose substitutes where the variable is not set: `${NAME:-default}`.
  const text = (await readFile(join(root, 'docker-compose.yml'), 'utf8')).replace(/\$\{\w+:-([^}]*)\}/g, '$1');
  compose = parse(text, { merge: true });
  services = compose.services;
});

const ours = () => Object.entries(services).filter(([, service]) => service.build !== undefined);

describe('docker-compose.yml', () => {
  it('gives each process of ours a configuration that it accepts, with all that it needs', async () => {
    expect(ours().map(([name]) => name)).toEqual(['server', 'worker-exchange', 'worker-people', 'worker-market']);
    for (const [name, { environment, command }] of ours()) {
      const configuration = loadConfiguration(environment);
      const needed: readonly SettingName[] =
        command?.[0] === 'runtime/server.ts' ? serverSettings : workerSettings(configuration);
      expect(() => requireSettings(configuration, needed, name)).not.toThrow();
      await access(join(root, command?.[0] ?? 'no command'));
    }
  });

  it('mounts every secret that a setting refers to, and no setting holds a secret itself', () => {
    for (const [name, { environment, secrets = [] }] of ours()) {
      const mounted = secrets.map((secret) => (typeof secret === 'string' ? secret : secret.target));
      const departments = (environment?.HUITONG_WORKER_ROLES ?? '')
        .split(',')
        .map((role) => role.replace('source:', ''));
      const referred = Object.values(environment ?? {}).flatMap((value) => {
        const file = /^(?:file:)?\/run\/secrets\/(.+)$/.exec(value)?.[1];
        if (file === undefined) return [];
        return file.includes('{') ? departments.map((code) => file.replace('{department}', code)) : [file];
      });
      expect(mounted.toSorted(), name).toEqual(referred.toSorted());
    }
    expect(JSON.stringify(services)).not.toMatch(/postgres:\/\/[^"]*:[^"]*@/);
  });

  it('a department’s worker is given neither the catalog nor the store', () => {
    for (const name of ['worker-people', 'worker-market']) {
      const names = Object.keys(services[name].environment ?? {});
      expect(names.filter((variable) => /CATALOG|STORE|SIGNING|QUARANTINE/.test(variable))).toEqual([]);
      expect(services[name].volumes ?? []).toEqual([]);
    }
    expect(services['worker-exchange'].volumes).toEqual(['store:/srv/store']);
  });

  it('more than one server can be started: each is reached by the others at its own name', () => {
    const { environment } = services.server;
    expect(environment?.HUITONG_AUDIT_ADDRESS).toBe('tcp://:8490');
    expect(loadConfiguration({ ...environment, HUITONG_AUDIT_ADDRESS: 'tcp://10.0.0.1:1' }).auditAddress).toBeDefined();
    for (const address of ['10.0.0.1:8490', 'http://10.0.0.1:8490', 'tcp://10.0.0.1', 'unix:/tmp/socket']) {
      expect(() => loadConfiguration({ ...environment, HUITONG_AUDIT_ADDRESS: address })).toThrow(
        'HUITONG_AUDIT_ADDRESS',
      );
    }
  });

  it('names a version of every image, and every volume and secret that is used', async () => {
    for (const [name, { image, secrets = [], volumes = [], build }] of Object.entries(services)) {
      if (build === undefined) expect(image, name).toMatch(/:(?!latest$)[\w.-]*\d[\w.-]*$/);
      for (const secret of secrets) {
        expect(Object.keys(compose.secrets)).toContain(typeof secret === 'string' ? secret : secret.source);
      }
      for (const volume of volumes) expect(Object.keys(compose.volumes)).toContain(volume.split(':')[0]);
    }
    const dockerfile = await readFile(join(root, 'deploy', 'Dockerfile'), 'utf8');
    for (const [, image] of dockerfile.matchAll(/^FROM (\S+)/gm)) expect(image).toMatch(/:\d+\.\d+\.\d+-/);
  });

  it('every secret’s file is made by deploy/make-secrets.sh', async () => {
    const script = await readFile(join(root, 'deploy', 'make-secrets.sh'), 'utf8');
    for (const { file } of Object.values(compose.secrets))
      expect(script).toContain(file.replace('deploy/secrets/', ''));
  });

  it('SQL Server and the S3-compatible storage start only when their profile is asked for', () => {
    const profiled = Object.entries(services).filter(([, { profiles }]) => profiles !== undefined);
    expect(profiled.map(([name, { profiles }]) => [name, profiles])).toEqual([
      ['sqlserver', ['sqlserver']],
      ['s3', ['s3']],
    ]);
  });
});
