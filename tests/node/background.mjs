// A living pg-boss, driven line by line: `node background.mjs DSN OPTIONS [PACKAGE]`; each line in is
// [METHOD, ARGUMENT...], each line out {"value"} or {"error"}. Ends, gracefully, with its input.
import { createInterface } from 'node:readline'

const [dsn, options, release = 'pg-boss'] = process.argv.slice(2)
const { PgBoss, getRollbackPlans } = await import(release)
const boss = new PgBoss({ connectionString: dsn, ...JSON.parse(options) })
boss.on('error', (error) => console.error(error))

const commands = {
  // Work a queue: its jobs succeed, or fail for data {fail: true}; those with {hang: true} never end.
  async work (queue, workOptions) {
    return boss.work(queue, { pollingIntervalSeconds: 0.5, ...workOptions }, async ([job]) => {
      if (job.data?.hang) await new Promise(() => {})
      if (job.data?.fail) throw new Error('no, says Node')
      return { by: 'node', pid: process.pid }
    })
  },
  // Work a queue by batches whose jobs end each as its data says: {status, output}.
  async workEach (queue, workOptions) {
    return boss.work(queue, { pollingIntervalSeconds: 0.5, perJobResults: true, ...workOptions }, async (jobs) =>
      jobs.filter(({ data }) => data).map(({ id, data }) => ({ id, ...data })))
  },
  async supervised (queue) {
    await boss.supervise(queue)
  },
  // Whether pg-boss takes these options of an instance; it throws otherwise.
  async wouldConstruct (instanceOptions) {
    return new PgBoss({ connectionString: dsn, ...instanceOptions }) !== undefined
  },
  // Take the schema back to an older version, as a team does that takes back an upgrade.
  async rollBackTo (version) {
    for (let from = await boss.schemaVersion(); from > version; from--) {
      await boss.getDb().executeSql(getRollbackPlans('pgboss', from))
    }
    return boss.schemaVersion()
  }
}

const say = (reply) => console.log(JSON.stringify(reply))
await boss.start()
say({ value: 'started' })
for await (const line of createInterface({ input: process.stdin })) {
  const [method, ...words] = JSON.parse(line)
  try {
    say({ value: await (commands[method] ?? boss[method].bind(boss))(...words) })
  } catch (error) {
    say({ error: error.message })
  }
}
await boss.stop({ graceful: false })
process.exit(0)
