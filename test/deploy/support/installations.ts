import { build } from './kustomize.ts'
import type { Manifest } from './manifests.ts'

export const root = 'deploy/kubernetes'

/** An overlay: what its two folders make, to be applied one after the other. */
export type Installation = { name: string; setup: readonly Manifest[]; services: readonly Manifest[] }

export const installations: readonly Installation[] = ['dev', 'production'].map((name) => ({
  name,
  setup: build(`${root}/overlays/${name}/setup`),
  services: build(`${root}/overlays/${name}`),
}))

/** Both folders together; what stands in both, a test says to be the same. */
export const allOf = ({ setup, services }: Installation): Manifest[] => [
  ...setup,
  ...services.filter(
    ({ kind, metadata }) => !setup.some((one) => one.kind === kind && one.metadata.name === metadata.name),
  ),
]
