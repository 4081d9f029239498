import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { test } from 'node:test'

import { z } from 'zod'

import { redrivePaths } from '../../tools/support/redrive.ts'

const page = readFileSync('docs/operate.md', 'utf8')
const [, runbook = ''] = /^## Alerts\n([^]*?)^## /m.exec(page) ?? []
const entries = runbook
  .split(/^### /m)
  .slice(1)
  .map((text): [string, string] => [text.slice(0, text.indexOf('\n')), text.replaceAll('\n', ' ')])

const codeOf = (text: string) => [...text.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code)
const { scripts } = z
  .object({ scripts: z.record(z.string(), z.string()) })
  .parse(JSON.parse(readFileSync('package.json', 'utf8')))

test('every entry of the runbook names a command that looks or mends', () => {
  assert.ok(entries.length > 15)
  for (const [name, text] of entries) {
    const commands = codeOf(text).filter((code) => /^(npm run|kubectl|aws|curl|kafka-consumer-groups\.sh) /.test(code))
    assert.ok(commands.length > 0, name)
  }
})

test('every npm command of the page is one that there is, with options and paths that it knows', () => {
  const commands = [...page.matchAll(/npm run ([\w:-]+)(?: -- ([^`\n]+))?/g)]
  assert.ok(commands.length > 15)
  for (const [whole, name = '', rest = ''] of commands) {
    const [file = ''] = /(?:tools|services|bench|test)\/[\w/-]+\.ts/.exec(scripts[name] ?? '') ?? []
    assert.ok(scripts[name] !== undefined && (file !== '' || name.startsWith('test')), whole)
    const source = globSync([file, `tools/support/${name}*.ts`])
      .map((path) => readFileSync(path, 'utf8'))
      .join('\n')
    for (const [, option = ''] of rest.matchAll(/--([\w-]+)/g))
      assert.ok(source.includes(option), `${whole}: --${option}`)
    if (name === 'redrive') assert.ok((rest.split(' ')[0] ?? '') in redrivePaths, whole)
  }
})

test('what the runbook quotes is a panel of the dashboard or a line of the log', () => {
  const dashboard = readFileSync('deploy/monitoring/dashboard.json', 'utf8')
  const code = globSync(['services/**/*.ts', 'shared/**/*.ts'])
    .map((path) => readFileSync(path, 'utf8'))
    .join('\n')
  const quoted = entries.flatMap(([, text]) =>
    [...text.replaceAll(/`[^`]+`/g, '').matchAll(/"([^"]+)"/g)].map(([, quote = '']) => quote),
  )
  assert.ok(quoted.length > 8)
  for (const quote of quoted) {
    const isLine = code.includes(quote) || code.includes(quote.replace('the event log is', '${name} is'))
    assert.ok(isLine || dashboard.includes(`"title": "${quote}"`), quote)
  }
})

test('workloads and settings that the page names for Kubernetes are those of its manifests', () => {
  const manifests = globSync('deploy/kubernetes/**/*.yaml')
    .map((path) => readFileSync(path, 'utf8'))
    .join('\n')
  for (const [whole, kind = '', name = ''] of page.matchAll(
    /(deployment|scaledobject|hpa|serviceaccount)[ /](api|upload-watcher|scan-dispatcher)/g,
  )) {
    const wanted = { deployment: 'Deployment', scaledobject: 'ScaledObject', hpa: 'HorizontalPodAutoscaler' }[kind]
    assert.match(manifests, new RegExp(`kind: ${wanted ?? 'ServiceAccount'}\\nmetadata:\\n  name: ${name}\\n`), whole)
  }
  for (const [, namespace = ''] of page.matchAll(/kubectl -n ([\w-]+)/g)) assert.equal(namespace, 'image-intake')
})
