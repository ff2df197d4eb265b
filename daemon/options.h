// From the configuration to the options of each part. They throw config::ConfigError where the
// values are well formed but cannot work together, or a file that they name cannot be read.
#pragma once

#include <string>
#include <vector>

#include "config/config.h"
#include "feed/dialect.h"
#include "feed/follower.h"
#include "feed/position.h"
#include "geo/resolver.h"
#include "http/server.h"
#include "log/log.h"
#include "metrics/metrics.h"
#include "pipeline/pipeline.h"
#include "store/store.h"

namespace geotally {

[[nodiscard]] log::Options log_options(const config::Config::Log& config);
[[nodiscard]] http::Options http_options(const config::Config::Http& config);
[[nodiscard]] store::Options store_options(const config::Config& config);
[[nodiscard]] feed::Wire wire_of(const config::Config::Feed& config);
[[nodiscard]] feed::DialectOptions dialect_options(const config::Config::Feed& config);
[[nodiscard]] feed::PositionOptions position_options(const config::Config& config);
/// What the addresses of the feed ask for that narrows it, a line each, for whoever set it so.
/// Throws config::ConfigError for what cannot work: posts that are not asked for, or a
/// contradiction to another key.
[[nodiscard]] std::vector<std::string> check_feed(const config::Config::Feed& config);
/// Reads the proxy's variables of the environment too.
[[nodiscard]] feed::FollowerOptions follower_options(const config::Config::Feed& config);
[[nodiscard]] std::vector<tally::Window> windows_of(const config::Config::Tally& config);
[[nodiscard]] pipeline::PipelineOptions pipeline_options(const config::Config& config);
[[nodiscard]] geo::Resolver::Options resolver_options(const config::Config::Resolver& config);
/// The names of all that can go wrong with a feed.
[[nodiscard]] metrics::FeedReasons feed_reasons();

}  // namespace geotally
