// The real pg-boss, driven from a test: `node boss.mjs DSN COMMAND [ARGUMENT]...`; answers with one line of JSON.
import { PgBoss } from 'pg-boss'

const [dsn, command, ...words] = process.argv.slice(2)
const boss = new PgBoss({ connectionString: dsn })
boss.on('error', (error) => console.error(error))

const commands = {
  async drift () {
    const drift = await boss.detectSchemaDrift()
    return { ...drift, mismatchedFunctions: drift.mismatchedFunctions.map((found) => found.name) }
  },
  async send (queue, data) {
    await boss.createQueue(queue)
    return boss.send(queue, JSON.parse(data))
  },
  async queue (queue, policy, deadLetter) {
    if (deadLetter) await boss.createQueue(deadLetter)
    await boss.createQueue(queue, { policy, ...(deadLetter && { deadLetter }) })
    return queue
  },
  async work (queue) {
    return new Promise((resolve) => {
      boss.work(queue, { pollingIntervalSeconds: 0.5 }, async ([job]) => {
        resolve({ id: job.id, data: job.data })
        return { by: 'node' }
      })
    })
  },
  async partitioned (queue, policy) {
    await boss.createQueue(queue, { partition: true, policy })
    const drift = await commands.drift()
    await boss.deleteQueue(queue)
    return drift
  }
}

await boss.start()
const answer = await commands[command](...words)
await boss.stop({ graceful: true, timeout: 5000 })
console.log(JSON.stringify(answer))
