// npm oauth2-mock-server: a token endpoint that answers as it is told to, {"do": "answer", status, body}; an
// answer is given once, and without one a good JWT.
import { OAuth2Server } from "oauth2-mock-server";

import { obey, say } from "./options.js";

const server = new OAuth2Server();
await server.issuer.keys.generate("RS256");
const answers = [];
server.service.on("beforeResponse", (response) => {
  const answer = answers.shift();
  say("asked", { answer: answer ?? null });
  if (answer?.status) response.statusCode = answer.status;
  if (answer?.change) Object.assign(response.body, answer.change);
  for (const name of answer?.leave_out ?? []) delete response.body[name];
  if (answer && "body" in answer) response.body = answer.body;
});
await server.start(0, "127.0.0.1");
say("listening", { port: server.address().port });
obey({ answer: (answer) => { answers.push(answer); } });
