// npm graphql-ws, the reference of graphql-transport-ws, at its defaults.
import { useServer } from "graphql-ws/use/ws";
import { WebSocketServer } from "ws";

import { roots, schema, watch } from "./schema.js";

const server = new WebSocketServer({ host: "127.0.0.1", port: 0, path: "/graphql" });
watch(server);
useServer({ schema, roots: { query: roots, subscription: roots } }, server);
