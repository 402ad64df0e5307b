// What the options make of the hooks that both libraries have.
import { admits } from "./guard.js";
import { options, say, sleep } from "./options.js";

export async function onConnect(payload, socket) {
  say("init", { payload: payload ?? null });
  if (!(await admits(payload, socket))) return false;
  if (options.late) await sleep(options.late);
  const { connect } = options;
  if (connect === "forbid") return false;
  if (connect?.throw) throw new Error(connect.throw);
  return connect?.acknowledge ?? true;
}

export function onOperation() {
  if (options.onSubscribe?.throw) throw new Error(options.onSubscribe.throw);
}
