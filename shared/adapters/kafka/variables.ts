import { z } from 'zod'

import { booleanSchema, listSchema, variable, wholeNumber, type Config } from '#shared/runtime/config.ts'

export const saslMechanisms = ['plain', 'scram-sha-256', 'scram-sha-512', 'aws-msk-iam'] as const

/** How to reach a Kafka cluster, and how its topics are made. */
export const kafkaVariables = {
  KAFKA_BROKERS: variable('Brokers to begin with.', 'kafka-1:9092,kafka-2:9092', listSchema.optional()),
  KAFKA_CLIENT_ID: variable(
    'Name that brokers know the process by, in their logs and quotas.',
    'image-intake',
    z.string().min(1).default('image-intake'),
  ),
  KAFKA_SSL: variable('Whether brokers are spoken to over TLS.', 'true', booleanSchema.default(false)),
  KAFKA_SSL_CA: variable(
    "Certificates (PEM) that the brokers' are signed by; without, those that Node knows.",
    '-----BEGIN CERTIFICATE-----...',
    z
      .string()
      .refine((text) => text.includes('-----BEGIN CERTIFICATE-----'), { error: 'is not a certificate in PEM' })
      .optional(),
  ),
  KAFKA_SASL_MECHANISM: variable(
    `How the process proves who it is: ${saslMechanisms.join(', ')}. The last one takes AWS credentials.`,
    'scram-sha-512',
    z.enum(saslMechanisms, { error: `is not one of ${saslMechanisms.join(', ')}` }).optional(),
  ),
  KAFKA_SASL_USERNAME: variable('User for SASL.', 'image-intake', z.string().optional()),
  KAFKA_SASL_PASSWORD: variable('Password for SASL.', '...', z.string().optional(), { secret: true }),
  KAFKA_REPLICATION: variable(
    'Replicas of a topic that is created; no more than there are brokers.',
    '3',
    wholeNumber({ min: 1, max: 32_767 }).default(3),
  ),
  KAFKA_MIN_INSYNC: variable(
    'Replicas that must have a record before it is acknowledged; no more than the topic has.',
    '2',
    wholeNumber({ min: 1, max: 32_767 }).default(2),
  ),
}

/** What is left out is as when the variable is not set; AWS_REGION is needed for aws-msk-iam. */
export type KafkaConfig = Partial<Config<typeof kafkaVariables>> & { AWS_REGION?: string | undefined }
