// npm oidc-provider: an authorization server with opaque tokens, introspection (RFC 7662) and revocation
// (RFC 7009).
//
//   clients   its clients, as its documentation describes their metadata
//   life      seconds that an access token lives
import { obey, options, say } from "./options.js";

console.warn = console.info = () => {}; // that its store and its keys are for tests only: they are
const { default: Provider } = await import("oidc-provider");

// Like its in-memory store, but clients live in it too, so that they can go.
const stored = new Map();

class Store {
  constructor(model) { this.model = model; }
  key(id) { return `${this.model} ${id}`; }
  async find(id) { return stored.get(this.key(id)); }
  async upsert(id, payload) { stored.set(this.key(id), payload); }
  async destroy(id) { stored.delete(this.key(id)); }
  async consume() {}
  async revokeByGrantId() {}
}

function create(client) {
  stored.set(`Client ${client.client_id}`, { grant_types: ["client_credentials"], redirect_uris: [], response_types: [], ...client });
}

// An application that is deleted takes its tokens with it.
function remove({ client_id }) {
  stored.delete(`Client ${client_id}`);
  for (const [key, token] of stored) if (token.clientId === client_id) stored.delete(key);
}

const life = { seconds: options.life ?? 3600 };
const provider = new Provider("http://127.0.0.1", {
  adapter: Store,
  scopes: ["api", "other"],
  features: {
    clientCredentials: { enabled: true },
    introspection: { enabled: true },
    revocation: { enabled: true },
    devInteractions: { enabled: false },
  },
  ttl: { ClientCredentials: () => life.seconds },
});
options.clients.forEach(create);
provider.on("grant.success", (context) => say("granted", { client: context.oidc.client.clientId }));
provider.on("grant.error", (context, error) => say("not granted", { error: error.message }));
provider.on("server_error", (context, error) => say("broken", { error: String(error) }));
const server = provider.listen(0, "127.0.0.1", () => say("listening", { port: server.address().port }));
obey({ create: ({ client }) => create(client), remove, live: ({ seconds }) => { life.seconds = seconds; } });
