import { html, raw } from 'hono/html'
import { z } from 'zod'

const described = z.record(z.string(), z.object({ description: z.string().optional() }))
const content = z.record(z.string(), z.object({ examples: z.record(z.string(), z.unknown()).optional() }))
const operation = z.object({
  summary: z.string().default(''),
  security: z.array(z.unknown()).default([]),
  parameters: z.array(z.object({ name: z.string(), in: z.string(), description: z.string().optional() })).default([]),
  requestBody: z.object({ content }).optional(),
  responses: z.record(
    z.string(),
    z.object({ description: z.string(), headers: described.default({}), content: content.default({}) }),
  ),
})
/** What the page shows of an OpenAPI document. */
const documentSchema = z.object({
  info: z.object({ title: z.string(), version: z.string(), description: z.string().default('') }),
  paths: z.record(z.string(), z.record(z.string(), operation)),
  components: z.object({ schemas: z.record(z.string(), z.unknown()) }),
})

type Operation = z.infer<typeof operation>

/** The OpenAPI document as one page that loads nothing from elsewhere. */
export const docsPage = (document: unknown) => {
  const { info, paths, components } = documentSchema.parse(document)
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${info.title} API</title>
        <style>
          ${raw(style)}
        </style>
      </head>
      <body>
        <h1>${info.title} ${info.version}</h1>
        ${info.description.split('\n\n').map((text) => html`<p>${prose(text)}</p>`)}
        <p>All of this for machines: <a href="/openapi.json">openapi.json</a> (OpenAPI 3.1).</p>
        ${Object.entries(paths).flatMap(([path, item]) =>
          Object.entries(item)
            .filter(([method]) => method !== 'head')
            .map(([method, one]) => describeOperation(`${method.toUpperCase()} ${path}`, one)),
        )}
        <h2>Schemas</h2>
        ${Object.entries(components.schemas).map(
          ([name, schema]) =>
            html`<details>
              <summary>${name}</summary>
              ${block(schema)}
            </details>`,
        )}
      </body>
    </html>`
}

const style = `
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #222 }
  h2 { border-top: 1px solid #ccc; padding-top: 1rem; margin-top: 2rem }
  code, pre { font: 14px/1.4 ui-monospace, monospace }
  h2 code { font-size: 20px }
  details { margin: .4rem 0 } details > :not(summary) { margin-left: 1.2rem }
  pre { background: #f5f5f5; padding: .75rem; white-space: pre-wrap; overflow-wrap: anywhere }
  table { border-collapse: collapse } th, td { text-align: left; vertical-align: top; padding: .2rem .8rem .2rem 0 }
  summary { cursor: pointer }
`

/** Text in which backticks stand around code. */
const prose = (text: string) =>
  text.split('`').map((part, index) => (index % 2 === 0 ? part : html`<code>${part}</code>`))

const block = (value: unknown) => html`<pre>${JSON.stringify(value, null, 2)}</pre>`

const describeOperation = (name: string, { summary, security, parameters, requestBody, responses }: Operation) =>
  html`<h2><code>${name}</code></h2>
    <p>${summary}.${security.length > 0 ? ' Needs a bearer token.' : ''}</p>
    ${table(parameters.map((one) => [`${one.name} (${one.in})`, one.description ?? '']))}
    ${
      requestBody
        ? html`<h3>Request</h3>
            ${describeContent(requestBody.content)}`
        : ''
    }
    <h3>Answers</h3>
    ${Object.entries(responses).map(
      ([status, answer]) =>
        html`<details>
          <summary><b>${status}</b> ${prose(answer.description)}</summary>
          ${table(Object.entries(answer.headers).map(([header, { description }]) => [header, description ?? '']))}
          ${describeContent(answer.content)}
        </details>`,
    )}`

const table = (rows: [string, string][]) =>
  html`<table>
    ${rows.map(
      ([name, about]) =>
        html`<tr>
          <th><code>${name}</code></th>
          <td>${prose(about)}</td>
        </tr>`,
    )}
  </table>`

const describeContent = (forms: z.infer<typeof content>) =>
  Object.values(forms).flatMap(({ examples = {} }) => Object.values(examples).map(describeExample))

const describeExample = (example: unknown) => {
  const { summary, value } = z.object({ summary: z.string().optional(), value: z.unknown() }).parse(example)
  return html`${summary === undefined ? '' : html`<p>${summary}:</p>`}${block(value)}`
}
