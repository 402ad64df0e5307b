// What a test asks of a server, as JSON in the first argument; none: the library's defaults.
//
//   connect     what the server's own `onConnect` does: "forbid" (false), {throw: TEXT}, {acknowledge: PAYLOAD}
//   late        milliseconds before `onConnect` answers
//   initWait    graphql-ws: milliseconds that it waits for connection_init
//   keepAlive   milliseconds; graphql-ws sends a websocket ping, subscriptions-transport-ws sends ka
//   ping        {payload}: graphql-ws: a GraphQL ping before the ack, and after each result
//   compress    permessage-deflate, as options of ws
//   fragment    bytes: longer messages go out in fragments, with a websocket ping between two of them
//   close       {code, reason, after}: close after so many results; without a code: end the TCP stream
//   onSubscribe {throw: TEXT}: what the server's own hook before each operation does
//   guard       see guard.js
export const options = JSON.parse(process.argv[2] ?? "{}");

export const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

// One line of JSON an event, on stdout, for the test that started us.
export function say(event, facts = {}) {
  process.stdout.write(JSON.stringify({ event, ...facts }) + "\n");
}

// Lines of JSON on stdin are what the test asks later: {"do": NAME, ...}. It holds our stdin, too: when it
// is gone, so are we.
export function obey(orders) {
  let rest = "";
  process.stdin.setEncoding("utf8");
  process.stdin.on("data", async (text) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop();
    for (const line of lines) {
      const order = JSON.parse(line);
      say("done", { order: order.do, answer: (await orders[order.do](order)) ?? null });
    }
  });
  process.stdin.on("end", () => process.exit(0));
}
