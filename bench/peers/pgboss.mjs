// pg-boss with notifications on, fetching batches.
export class Peer {
  constructor ({ dsn, batch_size: batchSize }, load) {
    Object.assign(this, { dsn, batchSize, load })
  }

  async prepare (queues) {
    const boss = await this.started({})
    for (const queue of queues) await boss.createQueue(queue, { notify: true })
    await boss.stop({ graceful: false })
  }

  async open (_queues, callers) {
    this.boss = await this.started({ max: callers, supervise: false, schedule: false })
  }

  async close () { await this.boss.stop({ graceful: false }) }
  async enqueue (queue, payload) { await this.boss.send(queue, payload) }
  async enqueueBulk (queue, payloads) { await this.boss.insert(queue, payloads.map((data) => ({ data }))) }

  async startWorker (queues, mark) {
    this.boss = await this.started({ useListenNotify: true })
    const noop = async (jobs) => { for (const job of jobs) mark(job.data.number) }
    for (const queue of queues) await this.boss.work(queue, { batchSize: this.batchSize, burstWhenBatchFull: true }, noop)
  }

  async stopWorker () { await this.boss.stop({ graceful: true, timeout: 5000 }) }

  async started (options) {
    const { PgBoss } = await this.load('pg-boss')
    const boss = new PgBoss({ connectionString: this.dsn, ...options })
    boss.on('error', (error) => console.error(error))
    return await boss.start()
  }
}
