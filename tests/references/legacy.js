// npm subscriptions-transport-ws, the reference of the legacy graphql-ws subprotocol, at its defaults where
// no options are given.
import { execute, subscribe } from "graphql";
import { SubscriptionServer } from "subscriptions-transport-ws";

import { onConnect, onOperation } from "./hooks.js";
import { obey, options } from "./options.js";
import { roots, schema } from "./schema.js";
import { watch } from "./watch.js";

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
  { host: "127.0.0.1", port: 0, path: "/graphql", perMessageDeflate: options.compress ?? false },
);
watch(created.server);
obey({ dispose: () => created.close() });
