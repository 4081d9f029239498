/**
 * Sends the traces of a service to a collector: `npm install @opentelemetry/sdk-node`, then run the service with
 * NODE_OPTIONS="--import ./examples/tracing.ts". Where to and how much is said by OpenTelemetry's own variables, such as
 * OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_SERVICE_NAME and OTEL_TRACES_SAMPLER. The services have their own metrics and logs.
 */
import { NodeSDK } from '@opentelemetry/sdk-node'

process.env['OTEL_METRICS_EXPORTER'] ??= 'none'
process.env['OTEL_LOGS_EXPORTER'] ??= 'none'
new NodeSDK().start()
