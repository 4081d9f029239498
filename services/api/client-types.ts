import type { z } from '@hono/zod-openapi'
import type { Hono } from 'hono'
import type { BlankEnv } from 'hono/types'

import type { Purpose } from '#shared/domain/purposes.ts'

import type { problemTable, ProblemCode } from './problems.ts'
import type { ImageMetadata, problemSchema, ticketRequestSchema, UploadTicket } from './schemas.ts'

type Answered<Output, Format extends 'json' | 'body', Status> = { output: Output; outputFormat: Format; status: Status }
type Problem = Answered<z.infer<typeof problemSchema>, 'json', (typeof problemTable)[ProblemCode]['status']>

/** One call, and all that it may be answered with. */
type Call<Input, Success> = (Success | Problem) & { input: Input }

type TicketRequest = z.input<typeof ticketRequestSchema>
type PurposeTicketRequest = Omit<TicketRequest, 'purpose'> & { purpose?: Purpose }
type Ticket = Answered<UploadTicket, 'json', 200>
type Key = { param: { key: string } }

type Calls = {
  '/images/presigned-url': { $post: Call<{ json: TicketRequest }, Ticket> }
  '/images/:key/metadata': { $get: Call<Key, Answered<ImageMetadata, 'json', 200>> }
  '/images/:key': { $delete: Call<Key, Answered<null, 'body', 204>> }
} & { [P in Purpose as `/images/presigned-url/${P}`]: { $post: Call<{ json: PurposeTicketRequest }, Ticket> } }

/**
 * The API as hono/client reads it: `hc<ApiType>('https://api.example.com')`. Keys go into a path as they are. The types
 * are those of the schemas that requests are checked against and answers are made of.
 */
export type ApiType = Hono<BlankEnv, Calls>
