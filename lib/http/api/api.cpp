#include "http/api/api.h"

#include <google/protobuf/message.h>

#include "geotally/v1/api.pb.h"
#include "http/api/json.h"
#include "http/negotiation.h"

namespace geotally::http {
namespace {

constexpr std::string_view kPrefix = "/api/v1/";
constexpr std::string_view kSuccess = R"({"status":"success","data":)";
constexpr std::string_view kSuccessEnd = "}\n";
constexpr std::string_view kJson = "application/json; charset=utf-8";
constexpr std::string_view kCsv = "text/csv; charset=utf-8; header=present";

std::string_view error_type(unsigned code) {
  switch (code) {
    case 400:
      return "bad_data";
    case 404:
      return "not_found";
    case 503:
      return "unavailable";
    default:
      return "internal";
  }
}

Response respond(const Sources& sources, const Request& request) {
  const auto format = request.parameter("format");
  Reply reply;
  if (format && *format != "json" && *format != "csv") {
    reply = Reply::bad("unknown format; there are: json, csv");
  } else {
    reply = ask(sources, request.path.substr(kPrefix.size()), request.query);
  }
  const bool csv = format ? *format == "csv" : prefers_csv(request.accept);
  Response response = Response::text(
      reply.code, csv && reply.code == 200 ? to_csv(*reply.message) : envelope(reply));
  response.content_type = csv && reply.code == 200 ? kCsv : kJson;
  response.headers.emplace_back("Vary", "Accept, Accept-Encoding");
  return response;
}

}  // namespace

std::string envelope(const Reply& reply) {
  if (reply.code == 200) {
    return std::string(kSuccess) + to_json(*reply.message) + std::string(kSuccessEnd);
  }
  return R"({"status":"error","errorType":)" + json_string(error_type(reply.code)) +
         R"(,"error":)" + json_string(reply.error) + "}\n";
}

Reply parse_envelope(std::string_view question, unsigned code, std::string_view body) {
  if (code == 200) {
    auto message = empty_answer(question);
    if (message && body.starts_with(kSuccess) && body.ends_with(kSuccessEnd)) {
      body.remove_prefix(kSuccess.size());
      body.remove_suffix(kSuccessEnd.size());
      if (from_json(body, *message)) return {200, "", std::move(message)};
    }
  } else if (geotally::v1::Failure failure; from_json(body, failure)) {
    if (!failure.error().empty()) return {code, failure.error(), nullptr};
  } else {  // refused before it came to the API: no token, a host name that is not allowed
    return {code, std::string(body.substr(0, body.find('\n'))), nullptr};
  }
  return {502, "the answer is not one of geotally's", nullptr};
}

void add_api(std::vector<Route>& routes, const Sources& sources) {
  using metrics::Handler;
  const auto add = [&](std::string_view name, Handler handler) {
    routes.push_back({std::string(kPrefix) + std::string(name), handler, false,
                      [sources](const Request& request) { return respond(sources, request); }});
  };
  add("rankings", Handler::kApiRankings);
  add("cities", Handler::kApiCities);
  add("countries", Handler::kApiCountries);
  add("countries/", Handler::kApiCountries);
  add("history", Handler::kApiHistory);
  add("gaps", Handler::kApiGaps);
  add("status", Handler::kApiStatus);
  add("", Handler::kOther);  // an unknown question is told which there are
}

}  // namespace geotally::http
