/** Series of a system, by their selector, in promtool's notation: a start, a rise a step, and how many steps. */
export type Series = Readonly<Record<string, string>>

/** One breakdown as its metrics record it, and the alerts that must fire on it: these and no other. */
export type AlertCase = { name: string; changes: Series; firing: readonly string[] }

const api = 'instance="a"'
const watcher = 'instance="w"'
const dispatcher = 'instance="d"'
const group = 'group="scan-dispatcher"'

const check = (name: string, where: string) => `image_intake_check_failed{check="${name}",${where}}`
const lag = `event_log_lag_records{${group},topic="image.uploaded",partition="0",${dispatcher}}`
const otherLag = `event_log_lag_records{${group},topic="image.uploaded",partition="1",${dispatcher}}`
const heartbeat = `event_log_last_heartbeat_timestamp_seconds{${group},${dispatcher}}`
const taken = `image_intake_dispatch_taken_total{topic="image.uploaded",${dispatcher}}`
const scans = (outcome: string) => `image_intake_scans_total{outcome="${outcome}",${dispatcher}}`
const records = (outcome: string, reason = '') =>
  `image_intake_records_total{outcome="${outcome}",reason="${reason}",${watcher}}`
const calls = (status: number) => `image_intake_http_requests_total{method="POST",status="${status}",${api}}`
const bucket = (metric: string, le: string, where: string) =>
  `image_intake_${metric}_seconds_bucket{le="${le}",${where}}`
const tickets = `route="tickets",${api}`

const steps = 80
const flat = (value: number) => `${value}x${steps}`
const rising = (aStep: number) => `0+${aStep}x${steps}`
/** Now this many and now that, as what is worked off. */
const wavering = (low: number, high: number) =>
  Array.from({ length: steps + 1 }, (_, step) => (step % 2 === 0 ? low : high)).join(' ')
/** A rise that ends after the tenth step. */
const ended = (aStep: number) => `0+${aStep}x10 ${aStep * 10}x${steps - 10}`

/** A system under ten images a second, a step is half a minute. */
export const well: Series = {
  [`up{job="image-intake-api",${api}}`]: flat(1),
  [`up{job="image-intake-upload-watcher",${watcher}}`]: flat(1),
  [`up{job="image-intake-scan-dispatcher",${dispatcher}}`]: flat(1),
  [check('credentials', api)]: flat(0),
  [check('token keys', api)]: flat(0),
  [check('storage', api)]: flat(0),
  [check('S3', watcher)]: flat(0),
  [check('SQS', watcher)]: flat(0),
  [check('the event log', watcher)]: flat(0),
  [check('the event log', dispatcher)]: flat(0),
  [calls(200)]: rising(300),
  [calls(429)]: rising(5),
  [calls(503)]: rising(1),
  [bucket('http_request_duration', '0.005', tickets)]: rising(300),
  [bucket('http_request_duration', '1', tickets)]: rising(300),
  [bucket('http_request_duration', '+Inf', tickets)]: rising(300),
  [`image_intake_records_received_total{${watcher}}`]: rising(300),
  [records('uploaded')]: rising(290),
  [records('rejected', 'not_an_image')]: rising(10),
  [records('quarantined', 'unreadable')]: flat(0),
  [`image_intake_records_released_total{${watcher}}`]: flat(0),
  [`image_intake_records_in_hand{${watcher}}`]: flat(0),
  [bucket('message_age', '0.5', watcher)]: rising(300),
  [bucket('message_age', '300', watcher)]: rising(300),
  [bucket('message_age', '+Inf', watcher)]: rising(300),
  [`image_intake_heartbeats_total{result="failed",${watcher}}`]: flat(0),
  [taken]: rising(290),
  [scans('dispatched')]: rising(290),
  [scans('dead_lettered')]: flat(0),
  [`image_intake_cancels_total{outcome="dead_lettered",${dispatcher}}`]: flat(0),
  [`image_intake_dispatch_abandoned_total{topic="image.uploaded",${dispatcher}}`]: flat(0),
  [`image_intake_dispatch_in_hand{${dispatcher}}`]: flat(0),
  [bucket('dispatch_delay', '1', dispatcher)]: rising(290),
  [bucket('dispatch_delay', '300', dispatcher)]: rising(290),
  [bucket('dispatch_delay', '+Inf', dispatcher)]: rising(290),
  [lag]: wavering(0, 3),
  [otherLag]: wavering(2, 9),
  [heartbeat]: rising(30),
}

/** Nothing is judged or dispatched any more. */
const halted: Series = {
  [`image_intake_records_received_total{${watcher}}`]: ended(300),
  [records('uploaded')]: ended(290),
  [records('rejected', 'not_an_image')]: ended(10),
  [bucket('message_age', '0.5', watcher)]: ended(300),
  [bucket('message_age', '300', watcher)]: ended(300),
  [bucket('message_age', '+Inf', watcher)]: ended(300),
  [taken]: ended(290),
  [scans('dispatched')]: ended(290),
  [bucket('dispatch_delay', '1', dispatcher)]: ended(290),
  [bucket('dispatch_delay', '300', dispatcher)]: ended(290),
  [bucket('dispatch_delay', '+Inf', dispatcher)]: ended(290),
}
const wentAway = `0x10 ${flat(1)}`

export const alertCases: readonly AlertCase[] = [
  { name: 'a system under load', changes: {}, firing: [] },
  {
    name: 'a broken Kafka',
    changes: {
      ...halted,
      [check('the event log', watcher)]: wentAway,
      [check('the event log', dispatcher)]: wentAway,
      [lag]: flat(50),
      [heartbeat]: ended(30),
    },
    firing: ['EventLogAway'],
  },
  {
    name: 'a broken S3',
    changes: {
      ...halted,
      [check('storage', api)]: wentAway,
      [check('S3', watcher)]: wentAway,
      [calls(503)]: `0+1x10 10+100x${steps - 10}`,
      [lag]: flat(50),
    },
    firing: ['StoreAway'],
  },
  {
    name: 'a broken SQS',
    changes: {
      ...halted,
      [check('SQS', watcher)]: wentAway,
      [`image_intake_heartbeats_total{result="failed",${watcher}}`]: rising(30),
      [lag]: flat(50),
    },
    firing: ['QueueAway'],
  },
  {
    name: 'an outage of a minute',
    changes: { [check('S3', watcher)]: `0x10 1x2 ${flat(0)}` },
    firing: [],
  },
  {
    name: 'a poison message',
    changes: {
      [records('quarantined', 'unreadable')]: `0x65 ${flat(1)}`,
      [`image_intake_records_received_total{${watcher}}`]: `0+300x65 19501+300x${steps - 65}`,
    },
    firing: ['RecordsQuarantined'],
  },
  {
    name: 'a poison event',
    changes: { [scans('dead_lettered')]: `0x65 ${flat(1)}`, [taken]: `0+290x65 18851+290x${steps - 65}` },
    firing: ['DeadLetters'],
  },
  {
    name: 'a stuck group',
    changes: {
      [taken]: ended(290),
      [scans('dispatched')]: ended(290),
      [bucket('dispatch_delay', '1', dispatcher)]: ended(290),
      [bucket('dispatch_delay', '300', dispatcher)]: ended(290),
      [bucket('dispatch_delay', '+Inf', dispatcher)]: ended(290),
      [lag]: `3x10 3+290x${steps - 10}`,
    },
    firing: ['GroupStuck'],
  },
  { name: 'a stuck partition', changes: { [otherLag]: `0 9 2 ${flat(7)}` }, firing: ['PartitionStuck'] },
  {
    name: 'a backlog that is worked off',
    changes: { [lag]: `20000-200x${steps}`, [otherLag]: `30000-300x${steps}` },
    firing: [],
  },
  {
    name: 'an API without credentials',
    changes: { [check('credentials', api)]: wentAway, [check('storage', api)]: wentAway },
    firing: ['CredentialsAway'],
  },
  {
    name: "a tokens' issuer that does not answer",
    changes: { [check('token keys', api)]: wentAway },
    firing: ['TokenKeysAway'],
  },
  { name: 'a silent member', changes: { [heartbeat]: ended(30) }, firing: ['MemberSilent'] },
  {
    name: 'an instance that is gone',
    changes: { [`up{job="image-intake-upload-watcher",${watcher}}`]: `1x10 ${flat(0)}` },
    firing: ['InstanceDown'],
  },
  {
    name: 'a watcher that is behind',
    changes: { [bucket('message_age', '0.5', watcher)]: flat(0), [bucket('message_age', '300', watcher)]: rising(300) },
    firing: ['WatcherBehind'],
  },
  {
    name: 'a dispatcher that is behind',
    changes: { [bucket('dispatch_delay', '1', dispatcher)]: flat(0) },
    firing: ['DispatchBehind'],
  },
  {
    name: 'a record without an outcome',
    changes: { [`image_intake_records_received_total{${watcher}}`]: `0+300x10 3001+300x${steps - 10}` },
    firing: ['RecordsUnaccounted'],
  },
  {
    name: 'an event without an outcome',
    changes: { [taken]: `0+290x10 2901+290x${steps - 10}` },
    firing: ['DispatchUnaccounted'],
  },
  { name: 'an API that fails', changes: { [calls(503)]: rising(30) }, firing: ['ApiErrors'] },
  {
    name: 'an API that is slow',
    changes: { [bucket('http_request_duration', '0.005', tickets)]: flat(0) },
    firing: ['ApiSlow'],
  },
  {
    name: 'a client that sends what it should not',
    changes: { [records('uploaded')]: rising(150), [records('rejected', 'not_an_image')]: rising(150) },
    firing: ['RefusalsRise'],
  },
  {
    name: 'heartbeats that fail',
    changes: { [`image_intake_heartbeats_total{result="failed",${watcher}}`]: rising(30) },
    firing: ['HeartbeatsFail'],
  },
]
