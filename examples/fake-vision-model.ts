import { setTimeout as sleep } from 'node:timers/promises'

/** Stands where a real model is to stand: it takes a moment, costs nothing and sees nothing. */
export const askFakeVisionModel = async (image: Uint8Array) => {
  await sleep(100)
  return { answer: 'This is the fake model of an example.', bytes_received: image.length }
}
