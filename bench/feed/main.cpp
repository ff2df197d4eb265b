// geotally-feed: a websocket server that plays a network of posts, as it is and
// as it fails. Independent of lib/: what it sends is its own reading of the protocol.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <exception>
#include <stdexcept>

#include <CLI/CLI.hpp>

#include "feed/compressor.h"
#include "feed/feed.h"
#include "feed/script.h"
#include "feed/server.h"

namespace geotally::feedgen {
namespace {

constexpr int kExitUsage = 64;

struct Training {
  std::string out;
  std::uint32_t id = 1;
  std::size_t bytes = 112'640;  // as the published one of v1
  std::string wire = "v1";
  std::uint64_t samples = 20'000;
};

struct Arguments {
  std::string file;
  WorldOptions world;
  std::string end_time;
  std::string guard = "0s";
  RenderOptions render;
  std::string v2_time = "time";
  FeedOptions feed;
  std::string rate = "max";
  std::string pace;
  std::string retention = "36h";
  std::vector<std::string> faults;
  std::string log;
  ServerOptions server;
  std::string ping = "30s";
  std::string pong = "5s";
  std::string coalesce = "on";
  std::vector<std::string> hosts;
};

std::int64_t duration(const char* option, const std::string& text) {
  const auto value = parse_duration_us(text);
  if (!value) {
    throw std::invalid_argument(std::string(option) + ": '" + text +
                                "' is no duration (250ms, 5s, 10m, 1h, 2d)");
  }
  return *value;
}

std::int64_t parse_end_time(const Arguments& arguments) {
  const std::string& text = arguments.end_time;
  if (text.empty()) {
    // The moments that the study speaks of.
    return arguments.world.name == "january-2012" ? 1'325'376'000'000'000 : 1'341'100'800'000'000;
  }
  if (text == "now") return static_cast<std::int64_t>(std::time(nullptr)) * 1'000'000;
  if (text.starts_with("now")) {
    return static_cast<std::int64_t>(std::time(nullptr)) * 1'000'000 +
           duration("--end-time", text.substr(text[3] == '+' ? 4 : 3));
  }
  std::tm tm{};
  const char* const end = strptime(text.c_str(), "%Y-%m-%dT%H:%M:%SZ", &tm);
  if (end != nullptr && *end == '\0') return static_cast<std::int64_t>(timegm(&tm)) * 1'000'000;
  std::int64_t seconds = 0;
  const auto [last, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error == std::errc() && last == text.data() + text.size()) return seconds * 1'000'000;
  throw std::invalid_argument("--end-time: '" + text +
                              "' is no time (2012-07-01T00:00:00Z, now, now+1h, unix seconds)");
}

void read_pacing(Arguments& arguments) {
  FeedOptions& feed = arguments.feed;
  if (arguments.rate != "max") {
    const char* const begin = arguments.rate.data();
    const auto [end, error] = std::from_chars(begin, begin + arguments.rate.size(), feed.rate);
    if (error != std::errc() || *end != '\0' || !(feed.rate > 0)) {
      throw std::invalid_argument("--rate: a number of events a second, or max");
    }
  }
  if (arguments.pace == "wall") {
    feed.wall_pace = true;
  } else if (!arguments.pace.empty()) {
    const char* const begin = arguments.pace.data();
    const auto [end, error] = std::from_chars(begin, begin + arguments.pace.size(), feed.pace);
    if (error != std::errc() || *end != '\0' || !(feed.pace > 0)) {
      throw std::invalid_argument("--pace: feed seconds a second, or wall");
    }
  }
}

/// "clock=3s,lag=1h,sequence=5000": one host beside the first.
Host parse_host(const std::string& text) {
  Host host;
  std::string_view rest = text;
  while (!rest.empty()) {
    const auto comma = rest.find(',');
    const std::string_view item = rest.substr(0, comma);
    rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
    const auto equals = item.find('=');
    const std::string_view key = item.substr(0, equals);
    const std::string value(equals == std::string_view::npos ? "" : item.substr(equals + 1));
    if (key == "clock") {
      host.clock_us = duration("--host clock", value);
    } else if (key == "lag") {
      host.lag_us = duration("--host lag", value);
    } else if (key == "sequence") {
      host.first_sequence = std::stoull(value);
    } else {
      throw std::invalid_argument("--host: '" + std::string(key) +
                                  "' is none of clock, lag, sequence");
    }
  }
  return host;
}

std::unique_ptr<Script> make_script(Arguments& arguments) {
  if (!arguments.file.empty()) return make_file_script(arguments.file, arguments.render);
  arguments.world.end_us = parse_end_time(arguments);
  arguments.world.guard_us = duration("--guard", arguments.guard);
  if (arguments.world.days == 0)
    arguments.world.days = arguments.world.name == "study-2012" ? 274 : 100;
  if (arguments.world.name == "flood") {
    return make_script(make_flood(arguments.world), arguments.render);
  }
  World world = make_world(arguments.world);
  std::fprintf(stderr, "geotally-feed: %s\n", describe(world.countries).c_str());
  return make_script(std::move(world), arguments.render);
}

void read_render(Arguments& arguments) {
  arguments.render.v2_time = arguments.v2_time == "time"   ? V2Time::kTime
                             : arguments.v2_time == "both" ? V2Time::kBoth
                                                           : V2Time::kWitnessedOnly;
}

int train(Arguments& arguments, const Training& training) {
  read_render(arguments);
  const std::unique_ptr<Script> script = make_script(arguments);
  std::vector<std::string> samples;
  Buffer message;
  // From all over the world's time, so that it knows every kind of message.
  const std::uint64_t step = std::max<std::uint64_t>(1, script->size() / training.samples);
  for (std::uint64_t number = 0; number < script->size(); number += step) {
    message.clear();
    script->append(message, number, training.wire == "v2" ? Wire::kV2 : Wire::kV1,
                   script->time_us(number), number + 1);
    samples.emplace_back(message.view());
  }
  const std::string dictionary = train_dictionary(samples, training.bytes, training.id);
  std::FILE* const file = std::fopen(training.out.c_str(), "wb");
  const bool written = file != nullptr && std::fwrite(dictionary.data(), 1, dictionary.size(),
                                                      file) == dictionary.size();
  if ((file != nullptr && std::fclose(file) != 0) || !written) {
    throw std::runtime_error("--out: cannot write " + training.out);
  }
  return 0;
}

int run(Arguments& arguments) {
  read_pacing(arguments);
  read_render(arguments);
  arguments.feed.retention_us = duration("--retention", arguments.retention);
  arguments.server.ping_us = duration("--ping", arguments.ping);
  arguments.server.pong_us = duration("--pong", arguments.pong);
  arguments.server.coalesce = arguments.coalesce == "on";
  std::vector<Host> hosts;
  for (const std::string& text : arguments.hosts) hosts.push_back(parse_host(text));
  if (hosts.empty()) hosts.emplace_back();
  arguments.server.ports.resize(hosts.size(), 0);

  std::unique_ptr<Script> script = make_script(arguments);
  std::unique_ptr<Log> log;
  if (!arguments.log.empty()) log = std::make_unique<Log>(arguments.log);
  Feed feed(std::move(script), std::move(hosts), arguments.feed, std::move(log));
  feed.note(R"({"world":")" + (arguments.file.empty() ? arguments.world.name : "file") +
            R"(","accounts":)" + std::to_string(arguments.world.accounts) + R"(,"events":)" +
            std::to_string(feed.size()) + R"(,"seed":)" + std::to_string(arguments.world.seed) +
            "}");
  for (const std::string& fault : arguments.faults) feed.add(parse_fault(fault, 0));
  Server server(feed, arguments.server);
  // One line, so that a harness can read where it is.
  std::printf("%s\n", server.addresses().c_str());
  std::fflush(stdout);
  server.run();
  return 0;
}

void add_options(CLI::App& app, Arguments& a) {
  app.add_option("--file", a.file, "Serve the v1 messages of this file, one a line");
  app.add_option("--world", a.world.name,
                 "Generate a world: july-2012, january-2012, study-2012, small or flood")
      ->capture_default_str();
  app.add_option("--accounts", a.world.accounts, "Accounts of the world")->capture_default_str();
  app.add_option("--events", a.world.events, "Events of the world")->capture_default_str();
  app.add_option("--days", a.world.days, "Span of feed time; 0 = 100, of study-2012 274")
      ->capture_default_str();
  app.add_option("--end-time", a.end_time,
                 "When the world ends: 2012-07-01T00:00:00Z, now, now+1h, or unix seconds");
  app.add_option("--seed", a.world.seed, "Everything follows from it")->capture_default_str();
  app.add_option("--guard", a.guard, "No event lies nearer to the border of a minute than this")
      ->capture_default_str();
  app.add_flag("--only-posts", a.world.only_posts, "Of flood: nothing but posts and replies");
  app.add_flag("--roll-call", a.world.roll_call, "Of flood: at first every account posts once");
  app.add_option("--frame-bytes", a.render.frame_bytes, "Pad posts to messages of this size");
  app.add_flag("--sequence-field", a.render.sequence_field,
               "v1 messages carry their sequence number as `cursor`");
  app.add_option("--v2-time", a.v2_time, "Times of v2 messages: time, both, witnessed")
      ->check(CLI::IsMember({"time", "both", "witnessed"}));

  app.add_option("--port", a.server.ports, "Port of the feed, one for each --host; 0 = any");
  app.add_option("--control-port", a.server.control_port, "Port of the control endpoint; 0 = any");
  app.add_option("--host", a.hosts,
                 "A host of this feed: clock=3s,lag=1h,sequence=5000 (repeat for more; the first "
                 "is the one whose times are logged)");
  app.add_option("--rate", a.rate, "Events a second, or max")->capture_default_str();
  app.add_option("--pace", a.pace, "Feed seconds a second; wall = an event when its time has come");
  app.add_flag("--wait-client", a.feed.wait_client,
               "Emit nothing before the first client is there");
  app.add_flag("--hold-alone", a.feed.hold_alone, "Emit nothing while no client is there");
  app.add_option("--pause-at", a.feed.pause_at, "Hold after so many events");
  app.add_option("--retention", a.retention, "Older cursors are clamped (v1) or refused (v2)")
      ->capture_default_str();
  app.add_option("--outbox", a.server.outbox,
                 "Cut a live client off that is so many events behind; 0 = wait for it")
      ->capture_default_str();
  app.add_option("--ping", a.ping, "Between pings; 0 = none")->capture_default_str();
  app.add_option("--pong", a.pong, "How long a pong may take; 0 = for ever")->capture_default_str();
  app.add_option("--coalesce", a.coalesce, "Many messages a segment, or one: on, off")
      ->check(CLI::IsMember({"on", "off"}));
  app.add_option("--chunk-bytes", a.server.chunk_bytes, "Bytes a write, about")
      ->capture_default_str();
  app.add_option("--send-buffer", a.server.send_buffer_bytes, "SO_SNDBUF; 0 = the system's");
  app.add_option("--tls-cert", a.server.certificate_file, "PEM chain: speak wss");
  app.add_option("--tls-key", a.server.key_file, "PEM key");
  app.add_option("--dictionary", a.server.dictionaries,
                 "zstd dictionary (repeat: fault rotate turns to the next)");
  app.add_option("--compress-ahead", a.server.compress_ahead,
                 "Messages that are compressed before the feed opens (v1, first host)");
  app.add_option("--fault", a.faults, "NAME@N[:key=value,…]; see bench/feed/README.md");
  app.add_option("--log", a.log, "Write what was emitted, one JSON object a line");
}

}  // namespace
}  // namespace geotally::feedgen

int main(int argc, char** argv) {
  geotally::feedgen::Arguments arguments;
  CLI::App app("Plays a live network of posts over websocket (Jetstream v1 and v2)");
  geotally::feedgen::add_options(app, arguments);
  geotally::feedgen::Training training;
  CLI::App* const trainer = app.add_subcommand(
      "train-dictionary", "Write a zstd dictionary made of the messages of --world or --file");
  trainer->fallthrough();
  trainer->add_option("--out", training.out, "File to write")->required();
  trainer->add_option("--id", training.id, "Id of the dictionary")->capture_default_str();
  trainer->add_option("--bytes", training.bytes, "Size, at most")->capture_default_str();
  trainer->add_option("--wire", training.wire, "Whose messages: v1, v2")
      ->check(CLI::IsMember({"v1", "v2"}));
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : geotally::feedgen::kExitUsage;
  }
  try {
    if (trainer->parsed()) return geotally::feedgen::train(arguments, training);
    return geotally::feedgen::run(arguments);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "geotally-feed: %s\n", error.what());
    return geotally::feedgen::kExitUsage;
  }
}
