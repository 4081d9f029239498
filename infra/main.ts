import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { App } from 'aws-cdk-lib'

import { readSettings } from './settings.ts'
import { makeStack, stackName } from './stack.ts'

const usage = `npm run synth [-- settings.json]
Writes the CloudFormation template of an installation to cdk.out/${stackName}.template.json. Without a file of settings every
setting has its default (infra/README.md).`

const synthesise = (arguments_: readonly string[]) => {
  const [path, ...more] = arguments_
  if (more.length > 0 || path?.startsWith('-')) throw new Error(usage)
  const settings = readSettings(path === undefined ? {} : JSON.parse(readFileSync(path, 'utf8')))
  const outdir = join(import.meta.dirname, 'cdk.out')
  const app = new App({ outdir, analyticsReporting: false })
  makeStack(app, settings)
  const made = app.synth().getStackByName(stackName)
  // Without spaces it stays under the 51,200 bytes that CloudFormation takes without a bucket to fetch it from.
  writeFileSync(made.templateFullPath, JSON.stringify(made.template))
  return made.templateFullPath
}

try {
  process.stdout.write(`${synthesise(process.argv.slice(2))}\n`)
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}
