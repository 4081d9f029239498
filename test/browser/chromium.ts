import { existsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { chromium, type Browser } from 'playwright-core'

const usualPlaces = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
]

const flags = [
  // A container's root, as in CI, has no sandbox to use; the pages are our own.
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

const advice =
  'The browser tests are skipped: install Chromium or Chrome, or let CHROMIUM_PATH name the program of one.'

/** CHROMIUM_PATH alone decides when it is set. */
const findChromium = (): string | undefined => {
  const named = process.env['CHROMIUM_PATH']
  return (named ? [named] : usualPlaces).find((path) => existsSync(path))
}

/**
 * A browser without a window.
 * @returns undefined where none is installed; then one line has been printed that says how to get one
 * @throws where BROWSER_TESTS=required and none is installed
 */
export const startChromium = async (): Promise<Browser | undefined> => {
  const executablePath = findChromium()
  if (executablePath !== undefined) return chromium.launch({ executablePath, args: flags })
  if (process.env['BROWSER_TESTS'] === 'required')
    throw new Error('BROWSER_TESTS=required needs Chromium or Chrome: install it')
  tellOnce()
  return undefined
}

/** The test runner starts a process for each file: the first one of a run speaks for all. */
const tellOnce = () => {
  try {
    writeFileSync(join(tmpdir(), `browser-tests-skipped-${process.ppid}`), '', { flag: 'wx' })
    process.stdout.write(`${advice}\n`)
  } catch {
    // It has been told.
  }
}
