// A service of its own process, to be killed: prints its URL, then serves until the end comes.
import { listenOnLoopback, type LocalAwsOptions, openLocalAws } from '../../../local/aws/server.ts'

const options = JSON.parse(process.argv[2] ?? '') as LocalAwsOptions // startService writes it
const aws = openLocalAws(options)
const { url } = await listenOnLoopback(aws.handle, 0)
process.stdout.write(`${url}\n`)
