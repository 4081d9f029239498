import assert from 'node:assert/strict'
import { suite, test } from 'node:test'

import { Counter, Histogram, Registry } from 'prom-client'

import { openDuration, openDurations, openTally } from '#shared/runtime/tallies.ts'

const help = 'What is counted.'

suite('openTally', () => {
  test('counts as a Counter of prom-client does, over several scrapes', async () => {
    const [ours, theirs] = [new Registry(), new Registry()]
    const count = openTally({ name: 'calls_total', help, labelNames: ['method', 'status'], registry: ours })
    const counter = new Counter({ name: 'calls_total', help, labelNames: ['method', 'status'], registers: [theirs] })
    assert.equal(await ours.metrics(), await theirs.metrics())
    for (const [method, status] of [
      ['GET', 200],
      ['POST', 200],
      ['GET', 200],
      ['GET', 404],
    ] as const) {
      count(method, status)
      counter.inc({ method, status })
      if (status === 404) assert.equal(await ours.metrics(), await theirs.metrics())
      assert.equal((await ours.metrics()).includes('status="404"'), status === 404)
    }
    counter.inc({ method: 'GET', status: 404 })
    count('GET', 404)
    assert.equal(await ours.metrics(), await theirs.metrics())
  })
})

suite('openDurations', () => {
  test('observes as a Histogram of prom-client does, also at and beyond its bounds', async () => {
    const [ours, theirs] = [new Registry(), new Registry()]
    const bounds = [0.001, 0.5, 2]
    const observe = openDurations({ name: 'call_seconds', help, labelName: 'route', bounds, registry: ours })
    const registers = [theirs]
    const histogram = new Histogram({ name: 'call_seconds', help, labelNames: ['route'], buckets: bounds, registers })
    assert.equal(await ours.metrics(), await theirs.metrics())
    for (const [route, seconds] of [
      ['tickets', 0],
      ['tickets', 0.001],
      ['tickets', 0.0011],
      ['images', 2],
      ['images', 2.25],
      ['tickets', 0.5],
    ] as const) {
      observe(route, seconds)
      histogram.observe({ route }, seconds)
      assert.equal(await ours.metrics(), await theirs.metrics())
    }
    assert.deepEqual((await ours.getMetricsAsJSON()).length, 1)
  })

  test('begins anew when the registry is reset', async () => {
    const registry = new Registry()
    const observe = openDurations({ name: 'call_seconds', help, labelName: 'route', bounds: [1], registry })
    observe('tickets', 0.5)
    registry.resetMetrics()
    assert.doesNotMatch(await registry.metrics(), /tickets/)
  })
})

suite('openDuration', () => {
  test('observes as a Histogram of prom-client without labels does, and begins anew when the registry is reset', async () => {
    const [ours, theirs] = [new Registry(), new Registry()]
    const bounds = [0.5, 2]
    const observe = openDuration({ name: 'call_seconds', help, bounds, registry: ours })
    const histogram = new Histogram({ name: 'call_seconds', help, buckets: bounds, registers: [theirs] })
    for (const seconds of [0, 0.5, 0.6, 2, 3]) {
      assert.equal(await ours.metrics(), await theirs.metrics())
      observe(seconds)
      histogram.observe(seconds)
    }
    assert.equal(await ours.metrics(), await theirs.metrics())
    ours.resetMetrics()
    assert.match(await ours.metrics(), /call_seconds_count 0/)
  })
})
