// The schema that both reference servers serve.
import { buildSchema } from "graphql";

import { say, sleep } from "./options.js";

export const schema = buildSchema(`
  type Query { hello: String! }
  type Row { number: String!, text: String! }
  type Subscription {
    "Five greetings, then complete."
    greetings: String!
    "One result for each number below n, interval milliseconds apart, then complete."
    ticks(n: Int!, interval: Int = 0): Ticks!
    "Emits nothing, ever."
    quiet: String
    "Fails while executing: its second result holds errors."
    breaks: String
    "Its source fails after one result."
    fails: String
    "What was given, once, then complete."
    echo(text: String): String
    "One result with so many characters, then complete."
    big(size: Int!): String
  }
  type Ticks { rows: [Row!]! }
`);

export const roots = {
  hello: () => "world",
  greetings: async function* () {
    for (const greeting of ["Hi", "Bonjour", "Hola", "Ciao", "Zdravo"]) yield { greetings: greeting };
  },
  ticks: async function* ({ n, interval }) {
    try {
      for (let number = 0; number < n; number += 1) {
        // Without a pause nothing else of this process would ever run.
        if (interval > 0 || number % 100 === 99) await sleep(interval);
        yield { ticks: { rows: [{ number: String(number), text: 'tick "é" ' + number }] } };
      }
    } finally {
      say("source ended");
    }
  },
  // Not a generator: `return()` of one that waits for ever would wait for ever too.
  quiet: () => ({
    [Symbol.asyncIterator]() { return this; },
    next: () => new Promise(() => {}),
    return: async () => ({ value: undefined, done: true }),
  }),
  breaks: async function* () {
    yield { breaks: "whole" };
    yield { breaks: () => { throw new Error("broken on purpose"); } };
    yield { breaks: "whole again" };
  },
  fails: async function* () {
    yield { fails: "whole" };
    throw new Error("the source failed");
  },
  echo: async function* ({ text }) {
    yield { echo: text };
  },
  big: async function* ({ size }) {
    // Digits of a fixed sequence, so that compression has something to do.
    let state = 1, text = "";
    while (text.length < size) {
      state = (state * 48271) % 2147483647;
      text += state;
    }
    yield { big: text.slice(0, size) };
  },
};
