// Connections as TCP and WebSocket see them, whatever the library does above; and what they are made to do.
import { options, say } from "./options.js";

let connections = 0;

export function watch(server) {
  server.on("connection", (socket, request) => {
    const connection = connections;
    connections += 1;
    say("connected", {
      connection,
      subprotocol: socket.protocol,
      offered: request.headers["sec-websocket-protocol"] ?? null,
      extensions: socket.extensions,
    });
    listen(socket, connection);
    const sent = meddle(socket, connection);
    socket.on("close", (code, reason) => say("closed", { connection, code, reason: String(reason), sent }));
  });
  server.on("listening", () => say("listening", { port: server.address().port }));
}

function listen(socket, connection) {
  socket.on("message", (data) => {
    let message = {};
    try { message = JSON.parse(String(data)); } catch { /* the server's own affair */ }
    say("message", { connection, type: message.type ?? null, message });
  });
  socket.on("pong", () => say("websocket pong", { connection }));
  socket.on("ping", () => say("websocket ping", { connection }));
}

// Count the results that go out, close after so many, and cut messages into fragments. Returns the count.
function meddle(socket, connection) {
  const sent = { results: 0 };
  const send = socket.send.bind(socket);
  const { close, fragment, ping } = options;
  socket.send = (text, ...callback) => {
    const type = JSON.parse(text).type;
    if (type === "connection_ack") say("acknowledged", { connection });
    const isResult = type === "next" || type === "data";
    if (socket.readyState === socket.OPEN && isResult) sent.results += 1;
    if (fragment && text.length > fragment) sendInFragments(socket, send, Buffer.from(text), callback);
    else send(text, ...callback);
    if (ping && isResult) send(JSON.stringify({ type: "ping", payload: ping.payload }));
    if (close && isResult && sent.results === close.after) {
      if (close.code) socket.close(close.code, close.reason);
      else socket.terminate();
    }
  };
  if (ping) send(JSON.stringify({ type: "ping", payload: ping.payload }));
  return sent;
}

function sendInFragments(socket, send, bytes, callback) {
  for (let at = 0; at < bytes.length; at += options.fragment) {
    const fin = at + options.fragment >= bytes.length;
    const part = bytes.subarray(at, at + options.fragment);
    if (fin) send(part, { fin, binary: false }, ...callback);
    else send(part, { fin, binary: false });
    if (at === 0) socket.ping();
  }
}

// What a test may ask for later.
export function orders(server) {
  return { cut: () => server.clients.forEach((socket) => socket.terminate()) };
}
