// A bot: it answers every message, and tells when the server answers otherwise than before.
//
//     node examples/bot.mjs [phone] [url]        then write to it: npx rookery chat
import { createInterface } from 'node:readline/promises';
import { setInterval as every } from 'node:timers/promises';
import { messageText, NodeFileStore, openNodeClient, serverInfo } from 'rookery/client/node';

const phone = Number(process.argv[2] ?? 15550009);
const url = process.argv[3] ?? 'ws://127.0.0.1:8470/ws';

const client = await openNodeClient({
  url,
  store: new NodeFileStore(`./bot-${phone}.json`),
  onMessage(message) {
    const text = messageText(message);
    console.log(`+${message.from}: ${text}`);
    client.send(message.from, `You said: ${text}`);
  },
});
if (client.user === null) {
  await client.register(phone);
  const terminal = createInterface(process.stdin, process.stdout);
  await client.verify(phone, await terminal.question('The PIN in the log of the server: '), 'Bot');
  terminal.close();
} else client.connect();
console.log(`+${phone} answers whoever writes to it`);

let before = '';
for await (const _ of every(200)) {
  const said = await serverInfo(client).then(
    ({ name, version }) => `the server calls itself ${name} ${version}`,
    (error) => `the server does not say who it is: ${error.message}`,
  );
  if (said !== before) console.log(`${new Date().toISOString()} ${said}`);
  before = said;
}
