// A service of its own process, to be killed: prints its URL, then serves until the end comes.
import { listenOnLoopback, openLocalAws } from '../../../local/aws/server.ts'

const [directory = '', region = '', accessKeyId = '', secretAccessKey = ''] = process.argv.slice(2)
const aws = openLocalAws({ directory, region, credentials: { accessKeyId, secretAccessKey } })
const { url } = await listenOnLoopback(aws.handle, 0)
process.stdout.write(`${url}\n`)
