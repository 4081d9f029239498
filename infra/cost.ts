/**
 * What a million images cost, from the calls that one image makes; test/infra/costs.test.ts counts them. Prices are in US
 * dollars a million, of US East (N. Virginia), without the free tier; other regions differ by some tenths.
 * Sources: AWS, "Amazon S3 pricing", "Amazon SQS pricing".
 */
export const pricedOn = '2026-11-25'

const prices = {
  's3 put': 5,
  's3 get': 0.4,
  'sqs request': 0.4,
  'sqs fifo request': 0.5,
} as const

/** For whom a call is made: every image, scans, or scans that the worker of examples/ takes. */
type Of = 'images' | 'scans' | 'worker'

export type Cost = {
  who: string
  call: string
  price: keyof typeof prices
  of: Of
  /** Calls an image: when images come one by one, and in a flood (200 a second), where ten share a request of SQS. */
  alone: number
  flood: number
}

const each = (count: number) => ({ alone: count, flood: count })
/** Calls that take ten messages where there are so many. */
const batched = (count: number) => ({ alone: count, flood: count / 10 })

export const costs = {
  put: { who: 'client', call: 'PUT of the image', price: 's3 put', of: 'images', ...each(1) },
  notify: { who: 'S3', call: 'its notification to the uploads queue', price: 'sqs request', of: 'images', ...each(1) },
  take: { who: 'upload-watcher', call: 'ReceiveMessage', price: 'sqs request', of: 'images', ...batched(1) },
  confirm: {
    who: 'upload-watcher',
    call: 'DeleteMessageBatch',
    price: 'sqs request',
    of: 'images',
    ...batched(1),
  },
  look: { who: 'upload-watcher', call: 'ranged GET of the image', price: 's3 get', of: 'images', ...each(1) },
  verdict: { who: 'upload-watcher', call: 'PUT of the verdict', price: 's3 put', of: 'images', ...each(1) },
  enter: { who: 'scan-dispatcher', call: 'PUT of the job in the ledger', price: 's3 put', of: 'scans', ...each(1) },
  send: {
    who: 'scan-dispatcher',
    call: 'SendMessageBatch',
    price: 'sqs fifo request',
    of: 'scans',
    ...batched(1),
  },
  work: {
    who: 'worker of examples/',
    call: 'ReceiveMessage, DeleteMessage',
    price: 'sqs fifo request',
    of: 'worker',
    ...each(2),
  },
  claim: { who: 'worker of examples/', call: 'PUTs of claim and result', price: 's3 put', of: 'worker', ...each(2) },
  read: { who: 'worker of examples/', call: 'GETs of state and image', price: 's3 get', of: 'worker', ...each(3) },
  notifyEnd: { who: 'S3', call: 'its notification of the removal', price: 'sqs request', of: 'images', ...each(1) },
  takeEnd: {
    who: 'upload-watcher',
    call: 'the two of that notification',
    price: 'sqs request',
    of: 'images',
    ...batched(2),
  },
} as const satisfies Record<string, Cost>

type Way = 'alone' | 'flood'

const dollars = (amount: number) => amount.toFixed(2)
const sum = (way: Way, ...of: readonly Of[]) =>
  Object.values(costs)
    .filter((cost) => of.includes(cost.of))
    .reduce((total, cost) => total + prices[cost.price] * cost[way], 0)

const marks: Readonly<Record<Of, string>> = { images: '', scans: ' (scans)', worker: ' (scans)' }

const describe = ({ who, call, price, of, alone, flood }: Cost) =>
  `| ${who} | ${call}${marks[of]} | ${dollars(prices[price])} | ${alone} | ${flood} | ${dollars(prices[price] * alone)} | ${dollars(prices[price] * flood)} |`

const total = (what: string, ...of: readonly Of[]) =>
  `| all | ${what} | | | | ${dollars(sum('alone', ...of))} | ${dollars(sum('flood', ...of))} |`

/** The table of costs as docs/deploy-aws.md holds it. */
export const writeCostPage = (): string[] => [
  '| who | call | $ a million calls | an image alone | in a flood | $ a million alone | $ a million in a flood |',
  '| --- | --- | --- | --- | --- | --- | --- |',
  ...Object.values(costs).map(describe),
  total('a million profile or chat images', 'images'),
  total('a million scans', 'images', 'scans'),
  total('a million scans, with the worker', 'images', 'scans', 'worker'),
]

if (import.meta.main) process.stdout.write(`${writeCostPage().join('\n')}\n`)
