/**
 * Control of `import`: the same rows into the same organisation by the unmodified jsforce and its own collections upsert, 200
 * rows a call, as its users would write it. A call that throws leaves its rows unknown; they are what a script would call failed.
 */
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { Connection } from 'jsforce';

export type JsforceTask = {
  instanceUrl: string;
  accessToken: string;
  file: string;
  keyField: string;
  label: string;
  /** Calls under way at once: 1 is what its own `upsert` of many does. */
  atOnce: number;
};
export type JsforceDone = { tookMs: number; succeeded: number; failedNames: string[]; calls: number };

const ROWS_PER_CALL = 200;

type Deal = {
  name: string;
  stage: { name: string };
  close_date: string;
  amount: number;
  description: string;
};

process.once('message', async (task: JsforceTask) => {
  const { instanceUrl, accessToken } = task;
  const connection = new Connection({ instanceUrl, accessToken, version: '66.0' });
  const done: JsforceDone = { tookMs: 0, succeeded: 0, failedNames: [], calls: 0 };
  const startedMs = performance.now();
  const underWay = new Set<Promise<void>>();
  const send = async (deals: Deal[]) => {
    const first = done.calls * ROWS_PER_CALL;
    done.calls += 1;
    const records = deals.map((deal, i) => ({
      [task.keyField]: `${task.label}-${first + i}`,
      Name: deal.name,
      StageName: deal.stage.name,
      CloseDate: deal.close_date,
      Amount: deal.amount,
      Description: deal.description,
    }));
    try {
      const results = await connection.sobject('Opportunity').upsert(records, task.keyField);
      for (const [i, { success }] of results.entries()) {
        if (success) done.succeeded += 1;
        else done.failedNames.push(deals[i]?.name ?? '');
      }
    } catch {
      done.failedNames.push(...deals.map(({ name }) => name));
    }
  };
  const begin = async (deals: Deal[]) => {
    const sending = send(deals).finally(() => underWay.delete(sending));
    underWay.add(sending);
    if (underWay.size >= task.atOnce) await Promise.race(underWay);
  };
  let deals: Deal[] = [];
  for await (const line of createInterface({ input: createReadStream(task.file) })) {
    deals.push(JSON.parse(line));
    if (deals.length < ROWS_PER_CALL) continue;
    await begin(deals);
    deals = [];
  }
  if (deals.length > 0) await begin(deals);
  await Promise.all(underWay);
  done.tookMs = performance.now() - startedMs;
  process.send?.(done, () => process.exit(0));
});
