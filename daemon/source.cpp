#include "daemon/source.h"

#include <cstdlib>
#include <memory>
#include <utility>

#include <fmt/format.h>

#include "config/values.h"
#include "daemon/clock.h"
#include "daemon/exit_code.h"
#include "daemon/http_client.h"
#include "daemon/options.h"
#include "daemon/store_view.h"
#include "geo/resolver.h"
#include "http/api/api.h"
#include "pipeline/snapshot_of.h"
#include "version.h"

namespace geotally {

std::string percent_encoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '.' || c == '_' || c == '~';
    out += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

namespace {

std::string target_of(std::string_view question, const http::Parameters& parameters) {
  const std::size_t slash = question.find('/');
  std::string target = "/api/v1/" + std::string(question.substr(0, slash));
  if (slash != std::string_view::npos) target += '/' + percent_encoded(question.substr(slash + 1));
  char separator = '?';
  for (const auto& [name, value] : parameters) {
    target += std::exchange(separator, '&') + percent_encoded(name) + '=' + percent_encoded(value);
  }
  return target;
}

config::Endpoint endpoint_of(std::string_view url) {
  constexpr std::string_view kScheme = "http://";
  if (url.starts_with("https://")) {
    throw UsageError(
        "--url must be http://HOST:PORT: the daemon speaks no TLS, and what stands before it to do "
        "so is for other clients; from afar, ssh -L 9718:127.0.0.1:9718 HOST");
  }
  std::optional<config::Endpoint> endpoint;
  if (url.starts_with(kScheme)) {
    std::string_view rest = url.substr(kScheme.size());
    if (rest.ends_with('/')) rest.remove_suffix(1);
    endpoint = config::parse_endpoint(rest);
  }
  if (!endpoint || endpoint->port == 0) throw UsageError("--url must be http://HOST:PORT");
  return *endpoint;
}

config::Secret token_of(const config::Config& config, const SourceOptions& options) {
  if (!options.token_file.empty()) {
    return config::Secret::from_file("--token-file", options.token_file);
  }
  if (const char* token = std::getenv("GEOTALLY_TOKEN")) {
    if (*token == '\0') return {};
    return config::Secret::from_text("GEOTALLY_TOKEN", "environment", token);
  }
  if (config.http.token_file.empty()) return {};
  return config::Secret::from_file("http.token_file", config.http.token_file);
}

struct Offline {
  std::unique_ptr<store::Store> store;
  std::unique_ptr<const geo::Resolver> resolver;  // loaded when a city is asked for
  std::shared_ptr<const tally::Snapshot> snapshot;
  http::Sources sources;
};

http::Ask offline_source(const config::Config& config) {
  refuse_held(config.store.data_dir);
  auto offline = std::make_shared<Offline>();
  store::Options options = store_options(config);
  options.create = false;
  options.read_only = true;
  offline->store = store::Store::open(options);
  {
    tally::Totals totals;
    offline->store->load(totals);
    offline->snapshot =
        pipeline::snapshot_of(offline->store->last_commit(), offline->store->base(), totals,
                              windows_of(config.tally), pipeline::recent_gaps(*offline->store));
  }
  http::Sources& sources = offline->sources;
  auto* view = offline.get();
  sources.snapshot = [view] { return view->snapshot; };
  sources.status = [view] {
    http::Status status;
    status.not_ready = "read from the data directory; no daemon holds it";
    status.version = kVersion;
    status.started_at_us = wall_us();
    status.last_event_us = view->snapshot->watermark_us;
    return status;
  };
  sources.daily_rows = [view](std::int32_t from, std::int32_t to) {
    return daily_rows(*view->store, from, to);
  };
  sources.gaps = [view](std::size_t limit) { return newest_gaps(*view->store, limit); };
  sources.city = [view, resolver = resolver_options(config.resolver)](std::uint32_t id) {
    if (view->resolver == nullptr) view->resolver = std::make_unique<geo::Resolver>(resolver);
    const geo::City city = view->resolver->find_city(id);
    return http::CityName{std::string(city.name), city.country};
  };
  sources.now_us = wall_us;
  return [offline](std::string_view question, const http::Parameters& parameters) {
    return http::ask(offline->sources, question, parameters);
  };
}

}  // namespace

Server server_of(const config::Config& config, const SourceOptions& options) {
  return {options.url ? endpoint_of(*options.url) : config.http.listen, token_of(config, options)};
}

http::Ask make_source(const config::Inputs& inputs, const SourceOptions& options) {
  const config::Config config = config::load(inputs).config;
  if (options.offline) {
    if (options.url) throw UsageError("--url and --data-dir exclude each other");
    return offline_source(config);
  }
  return [server = server_of(config, options)](std::string_view question,
                                               const http::Parameters& parameters) {
    const HttpReply reply = http_get(server.address, target_of(question, parameters), server.token);
    return http::parse_envelope(question, reply.code, reply.body);
  };
}

int exit_code_of(const http::Reply& reply) {
  if (reply.code == 200) return kExitOk;
  return reply.code == 400 || reply.code == 404 ? kExitUsage : kExitUnavailable;
}

}  // namespace geotally
