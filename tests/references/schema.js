// The schema that both reference servers serve.
import { buildSchema } from "graphql";

export const schema = buildSchema(`
  type Query { hello: String! }
  type Row { number: String!, text: String! }
  type Subscription {
    "Five greetings, then complete."
    greetings: String!
    "One result for each number below n, interval milliseconds apart, then complete."
    ticks(n: Int!, interval: Int = 0): Ticks!
    "Emits nothing, ever."
    quiet: String
    "Fails while executing: its second result holds errors."
    breaks: String
  }
  type Ticks { rows: [Row!]! }
`);

const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

export const roots = {
  hello: () => "world",
  greetings: async function* () {
    for (const greeting of ["Hi", "Bonjour", "Hola", "Ciao", "Zdravo"]) yield { greetings: greeting };
  },
  ticks: async function* ({ n, interval }) {
    for (let number = 0; number < n; number += 1) {
      if (interval > 0) await sleep(interval);
      yield { ticks: { rows: [{ number: String(number), text: 'tick "é" ' + number }] } };
    }
  },
  // Not a generator: `return()` of one that waits for ever would wait for ever too.
  quiet: () => ({
    [Symbol.asyncIterator]() { return this; },
    next: () => new Promise(() => {}),
    return: async () => ({ value: undefined, done: true }),
  }),
  breaks: async function* () {
    yield { breaks: "whole" };
    yield { breaks: () => { throw new Error("broken on purpose"); } };
    yield { breaks: "whole again" };
  },
};

// One line of JSON an event, on stdout, for the test that started us.
export function say(event, facts = {}) {
  process.stdout.write(JSON.stringify({ event, ...facts }) + "\n");
}

let connections = 0;

// Count connections as TCP and WebSocket see them, whatever the library does above.
export function watch(server) {
  server.on("connection", (socket, request) => {
    const connection = connections;
    connections += 1;
    say("connected", { connection, subprotocol: socket.protocol, offered: request.headers["sec-websocket-protocol"] ?? null });
    socket.on("message", (data) => {
      let type = null;
      try { type = JSON.parse(String(data)).type; } catch { /* the server's own affair */ }
      say("message", { connection, type });
    });
    socket.on("close", (code, reason) => say("closed", { connection, code, reason: String(reason) }));
    socket.on("pong", () => say("websocket pong", { connection }));
  });
  server.on("listening", () => say("listening", { port: server.address().port }));
}

// The test that started us holds our stdin: when it is gone, so are we.
process.stdin.resume();
process.stdin.on("end", () => process.exit(0));
