// The short texts that servers, operators and stores give the feed: addresses, times, revisions,
// refusals, proxies, and the stored position.
#include "feed/position.h"
#include "feed/proxy.h"
#include "feed/rfc3339.h"
#include "feed/target.h"
#include "feed/tid.h"
#include "feed/url.h"
#include "feed/xrpc_error.h"
#include "target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace feed = geotally::feed;
  using geotally::fuzz::require;
  geotally::fuzz::Input input(data, size);
  const std::uint8_t what = input.byte();
  const std::string_view text = input.rest();
  std::string error;
  switch (what % 8) {
    case 0: {
      feed::Url url;
      if (feed::Url::parse(text, url, error)) require(!url.host.empty() && url.port != 0);
      break;
    }
    case 1: {
      std::int64_t time_us = 0;
      if (feed::parse_rfc3339(text, time_us)) {
        require(time_us >= 0 && time_us <= feed::kTimeMax_us);
      }
      break;
    }
    case 2:
      (void)feed::parse_tid(text);
      break;
    case 3: {
      const geotally::fuzz::Padded body(text, feed::kFramePadding);
      const feed::XrpcError refusal = feed::parse_xrpc_error(body.text());
      const auto floor = feed::named_floor(text, 17);
      require(!floor || *floor > 17);
      (void)refusal;
      break;
    }
    case 4: {
      feed::Proxy proxy;
      if (feed::Proxy::parse(text, proxy, error)) require(!proxy.host.empty());
      break;
    }
    case 5: {
      const std::string_view no_proxy = input.until(' ');
      (void)feed::bypasses_proxy(no_proxy, input.rest(), 443);
      break;
    }
    case 6: {
      feed::Position position;
      if (position.parse(text)) {
        // What was taken is written the same way again.
        const std::string written = position.serialize();
        feed::Position again;
        require(again.parse(written) && again.serialize() == written);
      }
      break;
    }
    default: {
      feed::Target target(input.until(' '));
      target.replace("cursor", input.rest());
      target.add("name", input.rest());
      require(target.text().find("cursor=") != std::string::npos);
      break;
    }
  }
  return 0;
}
