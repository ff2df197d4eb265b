#include "http/pages.h"

#include <utility>

#include "http/encoding.h"
#include "http/negotiation.h"
#include "metrics/country_page.h"

namespace geotally::http {
namespace {

constexpr const char* kIndex =
    "geotally: exact, rolling activity per country.\n"
    "\n"
    "/metrics             the process, for Prometheus\n"
    "/metrics/countries   the countries, for Prometheus\n"
    "/api/v1/rankings     ?by=accounts|posts|active|active_share|engaged|growth|posts_per_million\n"
    "/api/v1/countries/FR everything about one country\n"
    "/api/v1/history      ?country=FR&from=YYYY-MM-DD&to=YYYY-MM-DD\n"
    "/api/v1/gaps         what was missed\n"
    "/api/v1/status       how it is going\n"
    "/api/v1/forget       POST ?did=..., with Geotally-Action: forget\n"
    "/healthz  /readyz    for whoever watches\n";

/// The page of one snapshot. A snapshot is immutable, so its address says whether it is the
/// same; holding it keeps the address from being used again.
class CountryPage {
 public:
  Response answer(std::shared_ptr<const tally::Snapshot> snapshot, bool compressed) {
    if (snapshot == nullptr) {
      return Response::text(503, "The state is not loaded yet.\n");
    }
    asked_ = true;
    asked_compressed_ = asked_compressed_ || compressed;
    make(std::move(snapshot), compressed);
    return page_;
  }

  /// Whoever scrapes each second need not wait for the page; whoever does so each minute has one
  /// page in sixty made in vain, and pages that nobody asks for are not made.
  void prepare(std::shared_ptr<const tally::Snapshot> snapshot) {
    if (snapshot == nullptr || !std::exchange(asked_, false)) return;
    make(std::move(snapshot), std::exchange(asked_compressed_, false));
  }

 private:
  void make(std::shared_ptr<const tally::Snapshot> snapshot, bool compressed) {
    if (snapshot != snapshot_) {
      snapshot_ = std::move(snapshot);
      page_ = {};
      page_.content_type = metrics::kContentType;
      page_.body = std::make_shared<const std::string>(metrics::country_page(*snapshot_));
      page_.etag = etag_of(*page_.body);
    }
    if (compressed && page_.body_gzip == nullptr) {
      page_.body_gzip = std::make_shared<const std::string>(gzip(*page_.body));
    }
  }

  std::shared_ptr<const tally::Snapshot> snapshot_;
  Response page_;
  bool asked_ = false;  // since prepare()
  bool asked_compressed_ = false;
};

}  // namespace

void add_pages(std::vector<Route>& routes, const Sources& sources) {
  using metrics::Handler;
  routes.push_back(
      {"/", Handler::kPage, false, [](const Request&) { return Response::text(200, kIndex); }});

  routes.push_back({"/healthz", Handler::kHealthz, true,
                    [](const Request&) { return Response::text(200, "alive\n"); }});

  routes.push_back({"/readyz", Handler::kReadyz, true, [sources](const Request&) {
                      const Status status = sources.status();
                      if (status.ready) return Response::text(200, "ready\n");
                      return Response::text(503, "not ready: " + status.not_ready + "\n");
                    }});

  routes.push_back({"/metrics", Handler::kMetrics, false, [sources](const Request&) {
                      Response response = Response::text(200, sources.metrics_page());
                      response.content_type = metrics::kContentType;
                      return response;
                    }});

  const auto page = std::make_shared<CountryPage>();
  routes.push_back({.path = "/metrics/countries",
                    .handler = Handler::kMetricsCountries,
                    .answer =
                        [sources, page](const Request& request) {
                          return page->answer(sources.snapshot(),
                                              accepts_gzip(request.accept_encoding));
                        },
                    .on_commit = [sources, page] { page->prepare(sources.snapshot()); }});
}

}  // namespace geotally::http
