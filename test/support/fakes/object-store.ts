import { createHash } from 'node:crypto'

import { given } from '#shared/domain/given.ts'
import type { StoredObject } from '#shared/domain/stored-object.ts'
import type { NewObject, ObjectStore, Pin } from '#shared/ports/object-store.ts'

import { openFaults, type Faults } from './faults.ts'

export type Upload = {
  key: string
  bytes: Uint8Array
  contentType?: string
  metadata?: Readonly<Record<string, string>>
  versionId?: string
  /** Now, unless it is said. */
  lastModified?: Date
}

export type FakeObjectStore = {
  store: ObjectStore
  faults: Faults
  objects: ReadonlyMap<string, { object: StoredObject; bytes: Uint8Array }>
  /** As a client's PUT. */
  upload: (upload: Upload) => StoredObject
  /** The text of an object. @throws when there is none */
  text: (key: string) => string
}

/** A bucket in memory. */
export const fakeObjectStore = (): FakeObjectStore => {
  const objects = new Map<string, { object: StoredObject; bytes: Uint8Array }>()
  const faults = openFaults()

  const upload = ({ key, bytes, contentType = '', metadata = {}, versionId, lastModified = thisSecond() }: Upload) => {
    const object = {
      key,
      size: bytes.length,
      contentType,
      etag: createHash('md5').update(bytes).digest('hex'),
      ...given({ versionId }),
      lastModified,
      metadata,
    }
    objects.set(key, { object, bytes })
    return object
  }
  const find = (key: string, pin: Pin = {}) => {
    const found = objects.get(key)
    const same =
      pin.versionId === undefined
        ? pin.etag === undefined || pin.etag === found?.object.etag
        : pin.versionId === found?.object.versionId
    return same ? found : undefined
  }
  const write = ({ key, body, contentType }: NewObject) => upload({ key, bytes: Buffer.from(body), contentType })

  const store: ObjectStore = {
    readStart: async (key, maxBytes, { pin, signal } = {}) => {
      await faults.strike('readStart')
      signal?.throwIfAborted()
      const found = find(key, pin)
      return found && { object: found.object, bytes: found.bytes.subarray(0, maxBytes) }
    },
    head: async (key) => {
      await faults.strike('head')
      return find(key)?.object
    },
    put: async (object) => {
      await faults.strike('put')
      write(object)
    },
    create: async (object) => {
      await faults.strike('create')
      if (objects.has(object.key)) return 'exists'
      write(object)
      return 'created'
    },
    replace: async (object, etag) => {
      await faults.strike('replace')
      if (!find(object.key, { etag })) return 'changed'
      write(object)
      return 'replaced'
    },
    remove: async (key) => {
      await faults.strike('remove')
      objects.delete(key)
    },
    removeVersion: async (key, pin) => {
      await faults.strike('removeVersion')
      if (find(key, pin)) objects.delete(key)
    },
    ping: () => faults.strike('ping'),
  }
  const text = (key: string) => {
    const found = objects.get(key)
    if (!found) throw new Error(`there is no ${key}`)
    return Buffer.from(found.bytes).toString()
  }
  return { store, faults, objects, upload, text }
}

const thisSecond = () => new Date(Math.floor(Date.now() / 1000) * 1000)
