import { type Resource, resourceFromAttributes } from '@opentelemetry/resources';

/** Who tells the figures. */
export interface ExportedService {
  readonly version: string;
  /** Tells two servers apart: host name and port, say. */
  readonly instance: string;
  readonly pid: number;
  readonly nodeVersion: string;
}

export function exportedResource({ version, instance, pid, nodeVersion }: ExportedService): Resource {
  return resourceFromAttributes({
    'service.name': 'rookery',
    'service.version': version,
    'service.instance.id': instance,
    'process.pid': pid,
    'process.runtime.name': 'nodejs',
    'process.runtime.version': nodeVersion.replace(/^v/, ''),
  });
}
