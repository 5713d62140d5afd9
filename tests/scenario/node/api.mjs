// Calls the API with @aws-sdk/client-iot: a list of [command, input] in, a list of outputs or error names out.
//
//   node api.mjs '{"endpoint":"http://127.0.0.1:8080","key":"","secret":"","calls":[["CreateThing",{"thingName":"a"}]]}'
import * as iot from "@aws-sdk/client-iot";

const arg = JSON.parse(process.argv[2]);
const client = new iot.IoTClient({
  endpoint: arg.endpoint,
  region: arg.region ?? "us-east-1",
  maxAttempts: 1,
  credentials: { accessKeyId: arg.key, secretAccessKey: arg.secret },
});

const results = [];
for (const [command, input] of arg.calls) {
  try {
    const { $metadata, ...output } = await client.send(new iot[`${command}Command`](input));
    results.push({ status: $metadata.httpStatusCode, output });
  } catch (e) {
    results.push({ status: e.$metadata?.httpStatusCode ?? 0, error: e.name, message: e.message });
  }
}
console.log(JSON.stringify(results));
client.destroy();
