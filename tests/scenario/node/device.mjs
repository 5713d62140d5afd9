// One report by AWS's own device SDK (v2, native client): connect, subscribe to the replies, publish, print the
// reply as one line of JSON on stdout, exit 0 when it was `accepted`, 2 when `rejected`, 1 on anything else.
//
//   node device.mjs '{"mqtt":3|5,"host":"","port":0,"ca":"","cert":"","key":"","thing":"","format":"json","payload":"FILE"}'
import { readFileSync } from "node:fs";
import { mqtt, mqtt5, iot, io } from "aws-iot-device-sdk-v2";

const arg = JSON.parse(process.argv[2]);
const topic = `$aws/things/${arg.thing}/defender/metrics/${arg.format ?? "json"}`;
const payload = readFileSync(arg.payload);
const deadline = setTimeout(() => end(1, { error: "no reply in 20 s" }), 20_000);

function end(code, what) {
  clearTimeout(deadline);
  process.stdout.write(JSON.stringify(what) + "\n", () => process.exit(code));
}

function replied(replyTopic, bytes) {
  const name = replyTopic.split("/").pop();
  const text = arg.format === "cbor" ? Buffer.from(bytes).toString("hex") : Buffer.from(bytes).toString("utf8");
  end(name === "accepted" ? 0 : 2, { reply: name, text });
}

async function mqtt3() {
  const config = iot.AwsIotMqttConnectionConfigBuilder
    .new_mtls_builder_from_path(arg.cert, arg.key)
    .with_certificate_authority_from_path(undefined, arg.ca)
    .with_clean_session(true)
    .with_client_id(arg.thing)
    .with_endpoint(arg.host)
    .with_port(arg.port)
    .build();
  const connection = new mqtt.MqttClient(new io.ClientBootstrap()).new_connection(config);
  await connection.connect();
  for (const reply of ["accepted", "rejected"]) {
    await connection.subscribe(`${topic}/${reply}`, mqtt.QoS.AtLeastOnce, replied);
  }
  await connection.publish(topic, payload, mqtt.QoS.AtLeastOnce);
}

async function mqttFive() {
  const config = iot.AwsIotMqtt5ClientConfigBuilder
    .newDirectMqttBuilderWithMtlsFromPath(arg.host, arg.cert, arg.key)
    .withCertificateAuthorityFromPath(undefined, arg.ca)
    .withPort(arg.port)
    .withConnectProperties({ clientId: arg.thing, keepAliveIntervalSeconds: 60 })
    .build();
  const client = new mqtt5.Mqtt5Client(config);
  client.on("messageReceived", ({ message }) => replied(message.topicName, message.payload));
  client.on("connectionFailure", (e) => end(1, { error: String(e.error) }));
  client.on("connectionSuccess", async () => {
    await client.subscribe({
      subscriptions: ["accepted", "rejected"].map((r) => ({ topicFilter: `${topic}/${r}`, qos: 1 })),
    });
    await client.publish({ topicName: topic, qos: 1, payload });
  });
  client.start();
}

(arg.mqtt === 5 ? mqttFive() : mqtt3()).catch((e) => end(1, { error: String(e) }));
