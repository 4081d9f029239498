import { mkdtempSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'

import type { Page } from 'playwright-core'

import type { LocalSystem } from '#shared/domain/local-mode.ts'

import { startSystem, temporaryDirectory } from '../support/local-system.ts'
import { runTool } from '../support/run-tool.ts'
import { startChromium } from './chromium.ts'
import { startFaultyProxy, type FaultyProxy } from './faulty-proxy.ts'
import { servePage } from './page-server.ts'

/** A file to be chosen in a page. */
export type Choice = { name: string; bytes: Buffer }

type PageOptions = {
  /** Of an origin that CORS_ORIGINS does not name. */
  foreign?: boolean
  /** Behind the faulty proxy. */
  proxied?: boolean
}

/** The part of an event that the claims are about. */
export type SeenEvent = { id: string; type: string; data: { key: string; size: number } }

export type World = {
  system: LocalSystem
  /** What a page needs to call the API. */
  access: { apiUrl: string; token: string }
  /** A fresh page with these files chosen. */
  openPage: (choices: readonly Choice[], options?: PageOptions) => Promise<Page>
  proxy: FaultyProxy
  /** The events on an image so far; a verdict that the API tells has been published before. */
  eventsOn: (key: string) => Promise<SeenEvent[]>
}

/** A local system that lets one origin in, and a browser; undefined where there is no browser. */
const openWorld = async (): Promise<(World & { close: () => Promise<void> }) | undefined> => {
  const browser = await startChromium()
  if (!browser) return undefined
  const directory = temporaryDirectory()
  const [own, foreign, proxy] = await Promise.all([servePage(), servePage(), startFaultyProxy()])
  const data = { DATA_DIR: join(directory.path, 'data') }
  const running = await startSystem(data.DATA_DIR, { CORS_ORIGINS: own.origin })
  const { output: token } = await runTool('token', ['user-1'], data)
  const { system } = running
  return {
    system,
    proxy,
    access: { apiUrl: system.api_url, token: token.trim() },
    openPage: async (choices, options = {}) => {
      const context = await browser.newContext(options.proxied ? { proxy: { server: proxy.url } } : {})
      const page = await context.newPage()
      await page.goto(options.foreign ? foreign.origin : own.origin)
      await page.setInputFiles('input', saveFiles(directory.path, choices))
      return page
    },
    eventsOn: async (key) => {
      const { lines } = await runTool('events', ['--from-start'], data)
      const events = lines.map((line) => JSON.parse(line) as SeenEvent) // the events' own tests check this shape
      return events.filter((event) => event.data.key === key)
    },
    close: async () => {
      await browser.close()
      for (const server of [own, foreign, proxy]) server.close()
      await running.end('SIGTERM')
      directory.remove()
    },
  }
}

/** Files on the disk, so that the browser itself tells their types. */
const saveFiles = (directory: string, choices: readonly Choice[]): string[] => {
  const folder = mkdtempSync(join(directory, 'chosen-'))
  return choices.map(({ name, bytes }) => {
    const path = join(folder, name)
    writeFileSync(path, bytes)
    return path
  })
}

/** A place of claims about real clients: one system and one browser for all tests of a file. */
export const inBrowser = () => {
  let world: Awaited<ReturnType<typeof openWorld>>
  before(async () => {
    world = await openWorld()
  })
  after(() => world?.close())
  return (claim: string, check: (world: World) => Promise<void>) => {
    test(claim, async (t) => {
      if (!world) {
        t.skip('there is no browser')
        return
      }
      world.proxy.interfere(() => undefined)
      await check(world)
    })
  }
}
