// npm subscriptions-transport-ws, the reference of the legacy graphql-ws subprotocol, at its defaults where
// no options are given.
import { execute, subscribe } from "graphql";
import { SubscriptionServer } from "subscriptions-transport-ws";

import { verifyClient, watchExpiry } from "./guard.js";
import { onConnect, onOperation } from "./hooks.js";
import { obey, options } from "./options.js";
import { roots, schema } from "./schema.js";
import { orders, watch } from "./watch.js";

const created = SubscriptionServer.create(
  {
    schema,
    rootValue: roots,
    execute,
    subscribe,
    keepAlive: options.keepAlive,
    onConnect,
    onOperation: (message, params) => {
      onOperation();
      return params;
    },
  },
  {
    host: "127.0.0.1",
    port: 0,
    path: "/graphql",
    perMessageDeflate: options.compress ?? false,
    ...(verifyClient && { verifyClient }),
  },
);
watch(created.server);
watchExpiry(created.server);
obey(orders(created.server));
