// Lets in only who shows an access token that an authorization server calls active (RFC 7662):
//
//   guard  {introspection: URL, id, secret, place: "url" | "header" | "init", name, scope}; with `closes` a
//          connection is ended by 4403 once its token has expired
//
// A bad token is refused by 401 at the upgrade, or, where it comes with connection_init, as the library does
// it for an `onConnect` that returns false. One without the scope: 403 (RFC 6750 §3.1).
import { options, say } from "./options.js";

const guard = options.guard;

async function introspect(token) {
  const answer = await fetch(guard.introspection, {
    method: "POST",
    headers: {
      "content-type": "application/x-www-form-urlencoded",
      authorization: "Basic " + Buffer.from(`${guard.id}:${guard.secret}`).toString("base64"),
    },
    body: new URLSearchParams({ token }),
  });
  return answer.json();
}

async function check(token) {
  const found = token ? await introspect(token) : {};
  const hasScope = !guard.scope || (found.scope ?? "").split(" ").includes(guard.scope);
  const error = !found.active ? "invalid_token" : hasScope ? null : "insufficient_scope";
  say(error ? "kept out" : "let in", { token: token ?? null, error });
  return { error, expiresAt: found.exp };
}

function shown(request) {
  if (guard.place === "url") return new URL(request.url, "ws://x").searchParams.get(guard.name);
  return /^Bearer (.+)$/.exec(request.headers[guard.name.toLowerCase()] ?? "")?.[1];
}

function closeAt(socket, expiresAt) {
  if (guard.closes) setTimeout(() => socket.close(4403, "Forbidden"), expiresAt * 1000 - Date.now());
}

const found = new WeakMap();

// For the option of the same name of ws, versions 7 and 8.
export const verifyClient = guard && guard.place !== "init" && (async ({ req }, done) => {
  const result = await check(shown(req));
  found.set(req, result);
  if (!result.error) return done(true);
  const isStale = result.error === "invalid_token";
  return done(false, isStale ? 401 : 403, isStale ? "Unauthorized" : "Forbidden", {
    "WWW-Authenticate": `Bearer realm="x", error="${result.error}", error_description="no"`,
  });
});

export function watchExpiry(server) {
  if (verifyClient) server.on("connection", (socket, request) => closeAt(socket, found.get(request).expiresAt));
}

// Whether `payload` of connection_init opens `socket`.
export async function admits(payload, socket) {
  if (guard?.place !== "init") return true;
  const result = await check(/^Bearer (.+)$/.exec(payload?.[guard.name] ?? "")?.[1]);
  if (!result.error) closeAt(socket, result.expiresAt);
  return !result.error;
}
