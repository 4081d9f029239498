import { sqliteEventLog } from '#shared/adapters/sqlite/event-log.ts'

/** A process of its own that appends `count` records one by one: PATH TOPIC NAME COUNT. */
const [path = '', topic = '', name = '', count = '0'] = process.argv.slice(2)

const log = sqliteEventLog({ path })
await log.ensureTopics([{ name: topic, partitions: 2, retentionDays: 7 }])
for (let index = 0; index < Number(count); index++) await log.append([{ topic, key: name, value: `${name} ${index}` }])
await log.close()
