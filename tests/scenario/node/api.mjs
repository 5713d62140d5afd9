// Calls the API with @aws-sdk/client-iot. A line of stdin is {"operation": "CreateThing", "input": {"thingName": "a"}};
// the line of stdout that answers it is {"output"} or {"error", "status", "message"}.
//
//   node api.mjs '{"endpoint":"http://127.0.0.1:8080","key":"","secret":""}'
import { createInterface } from "node:readline";
import * as iot from "@aws-sdk/client-iot";

const arg = JSON.parse(process.argv[2]);
const client = new iot.IoTClient({
  endpoint: arg.endpoint,
  region: "us-east-1",
  maxAttempts: 1,
  credentials: { accessKeyId: arg.key, secretAccessKey: arg.secret },
});

// The SDK wants times as Date objects, which JSON has not.
function withDates(input) {
  const dates = ["startTime", "endTime"].filter((name) => name in input);
  return { ...input, ...Object.fromEntries(dates.map((name) => [name, new Date(input[name] * 1000)])) };
}

async function call({ operation, input }) {
  try {
    const { $metadata, ...output } = await client.send(new iot[`${operation}Command`](withDates(input)));
    return { output };
  } catch (e) {
    return { error: e.name, status: e.$metadata?.httpStatusCode ?? 0, message: e.message };
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await call(JSON.parse(line))));
}
client.destroy();
