// The process in which a Node peer enqueues or works: the same commands and answers as peer.py.
//
//     node peer.mjs ADAPTER_FILE OPTIONS_JSON PEER_FOLDER
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { createInterface } from 'node:readline'
import { pathToFileURL } from 'node:url'

const CUSTOMER = 'Example & Sons, 1 High Street, Anytown'
const TENANT = '11111111-1111-7111-8111-111111111111'
const BULK = 1000

const now = () => Number(process.hrtime.bigint()) / 1e9
const payload = (number) => ({ tenantId: TENANT, number, customer: CUSTOMER })
const range = (first, end, step = 1) => Array.from({ length: Math.ceil((end - first) / step) }, (_, i) => first + i * step)

class Seen {
  expect (count) {
    this.counts = new Uint32Array(count)
    this.starts = new Float64Array(count)
    this.total = 0
    this.wanted = count
    this.done = new Promise((resolve) => { this.finish = resolve })
  }

  mark = (number) => {
    this.starts[number] = now()
    this.counts[number] += 1
    this.total += 1
    if (this.total >= this.wanted) this.finish(true)
  }

  async reached (count, seconds) {
    this.wanted = count
    if (this.total >= count) return true
    let timer
    const late = new Promise((resolve) => { timer = setTimeout(() => resolve(false), seconds * 1000) })
    const answer = await Promise.race([this.done, late])
    clearTimeout(timer)
    return answer
  }
}

class Host {
  constructor (peer) {
    this.peer = peer
    this.seen = new Seen()
  }

  async prepare ({ queues }) { await this.peer.prepare(queues) }

  async open ({ queues, callers }) {
    this.queues = queues
    await this.peer.open(queues, callers)
  }

  async close () { await this.peer.close() }

  async enqueue ({ first, count, callers }) {
    const begin = now()
    await Promise.all(range(0, callers).map(async (start) => {
      for (let number = first + start; number < first + count; number += callers) {
        await this.peer.enqueue(this.queueOf(number), payload(number))
      }
    }))
    return { seconds: now() - begin }
  }

  async bulk ({ first, count }) {
    const begin = now()
    for (let start = first; start < first + count; start += BULK) {
      const end = Math.min(first + count, start + BULK)
      for (const [index, queue] of this.queues.entries()) {
        const share = range(start + index, end, this.queues.length).map(payload)
        if (share.length) await this.peer.enqueueBulk(queue, share)
      }
    }
    return { seconds: now() - begin }
  }

  async pace ({ first, count, per_second: perSecond }) {
    const called = new Array(count)
    const returned = new Array(count)
    const calls = []
    const begin = now()
    for (let index = 0; index < count; index++) {
      const wait = begin + index / perSecond - now()
      if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait * 1000))
      called[index] = now()
      calls.push(this.peer.enqueue(this.queueOf(first + index), payload(first + index))
        .then(() => { returned[index] = now() }))
    }
    await Promise.all(calls)
    return { called, returned }
  }

  async expect ({ count }) { this.seen.expect(count) }
  async work ({ queues }) { await this.peer.startWorker(queues, this.seen.mark) }
  async reached ({ count, seconds }) { return { reached: await this.seen.reached(count, seconds) } }
  async stop () { await this.peer.stopWorker() }
  async counts () { return { counts: [...this.seen.counts], starts: [...this.seen.starts] } }

  async usage () {
    const { user, system } = process.cpuUsage()
    const line = readFileSync('/proc/self/status', 'utf8').split('\n').find((each) => each.startsWith('VmRSS:'))
    return { cpu_seconds: (user + system) / 1e6, memory_mb: Number(line.split(/\s+/)[1]) / 1024 }
  }

  queueOf (number) { return this.queues[number % this.queues.length] }
}

const [adapter, options, folder] = process.argv.slice(2)
const require = createRequire(`${folder}/package.json`)
const load = async (name) => await import(pathToFileURL(require.resolve(name)).href)
const { Peer } = await import(pathToFileURL(adapter).href)
const host = new Host(new Peer(JSON.parse(options), load))
for await (const line of createInterface({ input: process.stdin })) {
  const { command, ...rest } = JSON.parse(line)
  let answer
  try {
    answer = await host[command](rest) ?? {}
  } catch (error) {
    answer = { error: error.stack }
  }
  process.stdout.write(`@${JSON.stringify(answer)}\n`)
}
process.exit(0)
