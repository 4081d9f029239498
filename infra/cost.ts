/**
 * What a million images cost, from the calls that one image makes. Prices are in US dollars a million, of US East
 * (N. Virginia), without the free tier; other regions differ by some tenths.
 * Sources: AWS, "Amazon S3 pricing", "Amazon SQS pricing".
 */
export const pricedOn = '2026-11-25'

const prices = {
  's3 put': 5,
  's3 get': 0.4,
  'sqs request': 0.4,
  'sqs fifo request': 0.5,
} as const

type Cost = { who: string; call: string; price: keyof typeof prices; perImage: number; scansOnly?: true }

const perImage: readonly Cost[] = [
  { who: 'api', call: 'a ticket', price: 's3 put', perImage: 0 },
  { who: 'client', call: 'PUT of the image', price: 's3 put', perImage: 1 },
  { who: 'S3', call: 'its notification to the uploads queue', price: 'sqs request', perImage: 1 },
  {
    who: 'upload-watcher',
    call: 'ReceiveMessage, DeleteMessageBatch, heartbeats',
    price: 'sqs request',
    perImage: 0.25,
  },
  { who: 'upload-watcher', call: 'ranged GET of the image', price: 's3 get', perImage: 1 },
  { who: 'upload-watcher', call: 'PUT of the verdict', price: 's3 put', perImage: 1 },
  { who: 'scan-dispatcher', call: 'PUT of the job in the ledger', price: 's3 put', perImage: 1, scansOnly: true },
  { who: 'scan-dispatcher', call: 'SendMessageBatch', price: 'sqs fifo request', perImage: 0.1, scansOnly: true },
  { who: 'S3', call: 'its notification of the removal', price: 'sqs request', perImage: 1 },
  { who: 'upload-watcher', call: 'taking that notification', price: 'sqs request', perImage: 0.25 },
]

const dollars = (amount: number) => amount.toFixed(2)
const costOf = ({ price, perImage: count }: Cost) => prices[price] * count
const sum = (costs: readonly Cost[]) => costs.reduce((total, cost) => total + costOf(cost), 0)

const describe = (cost: Cost) => {
  const { who, call, price, perImage: count, scansOnly } = cost
  const what = scansOnly ? `${call} (scans)` : call
  return `| ${who} | ${what} | ${count} | ${dollars(prices[price])} | ${dollars(costOf(cost))} |`
}

/** The table of costs as docs/deploy-aws.md holds it. */
export const writeCostPage = (): string[] => [
  `| who | call | an image | $ a million calls | $ a million images |`,
  '| --- | --- | --- | --- | --- |',
  ...perImage.map(describe),
  `| all | a million profile or chat images |  |  | ${dollars(sum(perImage.filter(({ scansOnly }) => !scansOnly)))} |`,
  `| all | a million scans |  |  | ${dollars(sum(perImage))} |`,
]

if (import.meta.main) process.stdout.write(`${writeCostPage().join('\n')}\n`)
