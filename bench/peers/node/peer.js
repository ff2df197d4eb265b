// The same counting with Node: posts, and accounts active in 1 h, by language tag.
//
//   node peer.js URL PORT STATE_FILE
//
// As a careful user would write it: labelled children are looked up once, active accounts are kept
// by the minute of their last post, the cursor is saved each second, and a restart begins there.
// The counters start at 0 with the process, as prom-client's do. PORT 0 = any; it is printed.
"use strict";
const fs = require("fs");
const http = require("http");
const WebSocket = require("ws");
const client = require("prom-client");

const [url, port, stateFile] = process.argv.slice(2);
const MINUTE_US = 60_000_000;
const WINDOW_MINUTES = 60;

const messages = new client.Counter({ name: "peer_messages_total", help: "Messages received." });
const posts = new client.Counter({ name: "peer_posts_total", help: "Posts.", labelNames: ["lang"] });
new client.Gauge({
  name: "peer_active_accounts",
  help: "Accounts whose last post is in the last hour.",
  labelNames: ["lang"],
  collect() {
    this.reset();
    const totals = new Map();
    for (const [minute, row] of active) {
      if (minute <= newest - WINDOW_MINUTES) continue;
      for (const [lang, count] of row) totals.set(lang, (totals.get(lang) || 0) + count);
    }
    for (const [lang, count] of totals) this.set({ lang }, count);
  },
});

const children = new Map(); // lang -> counter
const last = new Map(); // did -> { minute, lang } of its last post
const active = new Map(); // minute -> Map(lang -> accounts whose last post was then)
let newest = 0;
let cursor = 0;

function add(minute, lang, by) {
  let row = active.get(minute);
  if (row === undefined) active.set(minute, (row = new Map()));
  row.set(lang, (row.get(lang) || 0) + by);
}

function expire() {
  const first = newest - WINDOW_MINUTES + 1;
  for (const minute of active.keys()) if (minute < first) active.delete(minute);
  for (const [did, seen] of last) if (seen.minute < first) last.delete(did);
}

function onMessage(data) {
  messages.inc();
  let event;
  try {
    event = JSON.parse(data);
  } catch {
    return;
  }
  const { commit, did } = event;
  cursor = event.time_us;
  if (event.kind !== "commit" || commit.operation !== "create") return;
  if (commit.collection !== "app.bsky.feed.post") return;
  const lang = commit.record.langs?.[0] ?? "";
  let child = children.get(lang);
  if (child === undefined) children.set(lang, (child = posts.labels(lang)));
  child.inc();

  const minute = Math.floor(event.time_us / MINUTE_US);
  const seen = last.get(did);
  if (seen === undefined) {
    last.set(did, { minute, lang });
    add(minute, lang, 1);
  } else if (minute > seen.minute || (minute === seen.minute && lang !== seen.lang)) {
    add(seen.minute, seen.lang, -1);
    add(minute, lang, 1);
    seen.minute = minute;
    seen.lang = lang;
  }
  if (minute > newest) {
    newest = minute;
    expire();
  }
}

function saveCursor() {
  if (cursor === 0) return;
  fs.writeFileSync(stateFile + ".new", String(cursor));
  fs.renameSync(stateFile + ".new", stateFile);
}

function connect() {
  const from = cursor === 0 ? 1_000_000_000_000_000 : cursor + 1;
  const socket = new WebSocket(`${url}?wantedCollections=app.bsky.feed.post&cursor=${from}`, {
    perMessageDeflate: false,
  });
  socket.on("message", onMessage);
  socket.on("error", () => {});
  socket.on("close", () => setTimeout(connect, 500));
}

try {
  cursor = Number(fs.readFileSync(stateFile, "utf8"));
} catch {
  cursor = 0;
}
setInterval(saveCursor, 1000);
http
  .createServer(async (request, response) => {
    response.setHeader("Content-Type", client.register.contentType);
    response.end(await client.register.metrics());
  })
  .listen(Number(port), "127.0.0.1", function () {
    console.log(JSON.stringify({ port: this.address().port }));
    connect();
  });
