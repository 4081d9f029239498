import { signToken } from './support/sign-token.ts'
import { runTool, UsageError } from './support/run-tool.ts'

const usage = `npm run token -- SUBJECT
Prints a token of local mode for that user, good for 12 hours. Example: npm run token -- user-1`

await runTool({ usage, options: {} }, async ({ positionals }) => {
  const [subject, ...rest] = positionals
  if (subject === undefined || rest.length > 0) throw new UsageError('name one user')
  console.log(await signToken(subject))
})
