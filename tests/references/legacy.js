// npm subscriptions-transport-ws, the reference of the legacy graphql-ws subprotocol, at its defaults.
import { execute, subscribe } from "graphql";
import { SubscriptionServer } from "subscriptions-transport-ws";

import { roots, schema, watch } from "./schema.js";

const created = SubscriptionServer.create(
  { schema, rootValue: roots, execute, subscribe },
  { host: "127.0.0.1", port: 0, path: "/graphql" },
);
watch(created.server);
