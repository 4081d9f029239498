import { benchDispatcher } from './dispatcher.ts'
import { benchKafka } from './kafka.ts'
import { benchLocal } from './local.ts'
import { benchApi } from './api.ts'
import { benchPresign } from './presign.ts'
import { benchWatcher } from './watcher.ts'

/** Each prints a table, and as its last line one JSON object. */
const benches: Readonly<Record<string, () => Promise<{ ratio: number } & Record<string, number>>>> = {
  api: benchApi,
  dispatcher: benchDispatcher,
  kafka: benchKafka,
  local: benchLocal,
  presign: benchPresign,
  watcher: benchWatcher,
}

const [name = ''] = process.argv.slice(2)
const bench = benches[name]
if (bench) {
  const figures = await bench()
  console.table(figures)
  console.log(JSON.stringify({ bench: name, ...figures }))
} else {
  console.error(`npm run bench -- NAME, where NAME is one of ${Object.keys(benches).join(', ')}`)
  process.exitCode = 2
}
