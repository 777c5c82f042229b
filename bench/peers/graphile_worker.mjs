// graphile-worker with its local queue and batched completion, as its page on performance tells.
export class Peer {
  constructor ({ dsn, concurrency, local_queue: localQueue }, load) {
    Object.assign(this, { dsn, concurrency, localQueue, load })
  }

  async prepare () {
    await this.open([], 1)
    await this.utils.migrate()
    await this.close()
  }

  async open (_queues, callers) {
    const { makeWorkerUtils, Logger } = await this.load('graphile-worker')
    this.utils = await makeWorkerUtils({ connectionString: this.dsn, maxPoolSize: callers, logger: quiet(Logger) })
  }

  async close () { await this.utils.release() }
  async enqueue (queue, payload) { await this.utils.addJob(queue, payload) }
  async enqueueBulk (queue, payloads) {
    await this.utils.addJobs(payloads.map((payload) => ({ identifier: queue, payload })))
  }

  async startWorker (queues, mark) {
    const { run, Logger } = await this.load('graphile-worker')
    const noop = async (payload) => mark(payload.number)
    this.runner = await run({
      connectionString: this.dsn,
      noHandleSignals: true,
      logger: quiet(Logger),
      taskList: Object.fromEntries(queues.map((queue) => [queue, noop])),
      preset: {
        worker: {
          concurrentJobs: this.concurrency,
          localQueue: { size: this.localQueue },
          completeJobBatchDelay: 0,
          failJobBatchDelay: 0
        }
      }
    })
  }

  async stopWorker () { await this.runner.stop() }
}

const quiet = (Logger) => new Logger(() => () => {})
