import { html } from 'hono/html'

type Operation = { summary?: string; responses?: Record<string, { description?: string }> }
type Document = { info: { title: string; version: string }; paths?: Record<string, unknown> }

/** The OpenAPI document as one page that loads nothing from elsewhere. */
export const docsPage = ({ info, paths = {} }: Document) =>
  html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <title>${info.title} API</title>
      </head>
      <body>
        <h1>${info.title} ${info.version}</h1>
        <p>The whole contract, with every field, is in <a href="/openapi.json">openapi.json</a> (OpenAPI 3.1).</p>
        ${Object.entries(paths).map(([path, item]) => describePath(path, item))}
      </body>
    </html>`

// The document is our own; only these fields of it are shown here.
const describePath = (path: string, item: unknown) =>
  Object.entries(item as Record<string, Operation>).map(
    ([method, { summary = '', responses = {} }]) =>
      html`<h2><code>${method.toUpperCase()} ${path}</code></h2>
        <p>${summary}</p>
        <table>
          ${Object.entries(responses).map(
            ([status, { description = '' }]) =>
              html`<tr>
                <th>${status}</th>
                <td>${description}</td>
              </tr>`,
          )}
        </table>`,
  )
