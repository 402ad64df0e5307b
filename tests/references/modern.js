// npm graphql-ws, the reference of graphql-transport-ws, at its defaults where no options are given.
import { useServer } from "graphql-ws/use/ws";
import { WebSocketServer } from "ws";

import { verifyClient, watchExpiry } from "./guard.js";
import { onConnect, onOperation } from "./hooks.js";
import { obey, options, say } from "./options.js";
import { roots, schema } from "./schema.js";
import { orders, watch } from "./watch.js";

const server = new WebSocketServer({
  host: "127.0.0.1",
  port: 0,
  path: "/graphql",
  perMessageDeflate: options.compress ?? false,
  ...(verifyClient && { verifyClient }),
});
watch(server);
watchExpiry(server);
const hooks = {
  schema,
  roots: { query: roots, subscription: roots },
  onConnect: (context) => onConnect(context.connectionParams, context.extra.socket),
  onSubscribe: () => onOperation(),
  onPing: (context, payload) => say("ping", { payload: payload ?? null }),
  onPong: (context, payload) => say("pong", { payload: payload ?? null }),
};
if (options.initWait) hooks.connectionInitWaitTimeout = options.initWait;
const running = useServer(hooks, server, options.keepAlive);
obey({ dispose: () => running.dispose(), ...orders(server) });
