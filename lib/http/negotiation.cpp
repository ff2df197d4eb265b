#include "http/negotiation.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace geotally::http {
namespace {

/// In thousandths, from 0 (not acceptable) to 1000; 1000 where an element has none.
using Weight = int;

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

bool equals_ignoring_case(std::string_view text, std::string_view lower) {
  if (text.size() != lower.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i] >= 'A' && text[i] <= 'Z' ? static_cast<char>(text[i] + 32) : text[i];
    if (c != lower[i]) return false;
  }
  return true;
}

/// Where the first `separator` outside quotes stands; npos = nowhere.
std::size_t find_unquoted(std::string_view text, char separator) {
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (quoted && text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      quoted = !quoted;
    } else if (!quoted && text[i] == separator) {
      return i;
    }
  }
  return std::string_view::npos;
}

/// Cuts what stands before the first `separator` off the front of `text`; trimmed.
std::string_view take_before(std::string_view& text, char separator) {
  const std::size_t end = find_unquoted(text, separator);
  const std::string_view front = trimmed(text.substr(0, end));
  text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
  return front;
}

/// qvalue = ( "0" [ "." 0*3DIGIT ] ) / ( "1" [ "." 0*3("0") ] )
std::optional<Weight> parse_weight(std::string_view text) {
  if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1')) return std::nullopt;
  if (text.size() > 1 && text[1] != '.') return std::nullopt;
  Weight weight = (text[0] - '0') * 1'000;
  Weight unit = 100;
  for (const char c : text.substr(std::min<std::size_t>(text.size(), 2))) {
    if (c < '0' || c > '9') return std::nullopt;
    weight += (c - '0') * unit;
    unit /= 10;
  }
  return weight <= 1'000 ? std::optional(weight) : std::nullopt;
}

struct Preference {
  std::string_view what;
  Weight weight = 1'000;
};

/// "gzip;q=0.5", "text/csv; charset=utf-8; q=0"; nothing where the weight is malformed.
std::optional<Preference> parse_preference(std::string_view element) {
  Preference preference{take_before(element, ';')};
  while (!element.empty()) {
    std::string_view parameter = take_before(element, ';');
    const std::string_view name = take_before(parameter, '=');
    if (!equals_ignoring_case(name, "q")) continue;
    const auto weight = parse_weight(trimmed(parameter));
    if (!weight) return std::nullopt;
    preference.weight = *weight;
    break;  // what follows is no part of the range (RFC 9110, 12.5.1)
  }
  return preference;
}

template <class Visit>
void each_preference(std::string_view header, Visit visit) {
  each_element(header, [&](std::string_view element) {
    if (const auto preference = parse_preference(element)) visit(*preference);
    return true;
  });
}

/// How much a type is wanted, by the most exact range that covers it.
struct Wanted {
  Weight weight = 0;
  int exactness = 0;  ///< 0 = no range covers it, 1 = "*/*", 2 = "text/*", 3 = by its name
};

Wanted wanted(std::string_view accept, std::string_view any_of_its_kind, std::string_view name) {
  Wanted best;
  each_preference(accept, [&](const Preference& preference) {
    int exactness = 0;
    if (equals_ignoring_case(preference.what, name)) {
      exactness = 3;
    } else if (equals_ignoring_case(preference.what, any_of_its_kind)) {
      exactness = 2;
    } else if (preference.what == "*/*") {
      exactness = 1;
    }
    if (exactness > best.exactness) best = {preference.weight, exactness};
  });
  return best;
}

}  // namespace

void each_element(std::string_view list, const std::function<bool(std::string_view)>& visit) {
  while (!list.empty()) {
    const std::string_view element = take_before(list, ',');
    if (!element.empty() && !visit(element)) return;
  }
}

bool accepts_gzip(std::string_view accept_encoding) {
  std::optional<Weight> gzip;
  std::optional<Weight> identity;
  std::optional<Weight> any;
  each_preference(accept_encoding, [&](const Preference& preference) {
    // x-gzip is its old name (RFC 9110, 8.4.1.3).
    if (equals_ignoring_case(preference.what, "gzip") ||
        equals_ignoring_case(preference.what, "x-gzip")) {
      gzip = preference.weight;
    } else if (equals_ignoring_case(preference.what, "identity")) {
      identity = preference.weight;
    } else if (preference.what == "*") {
      any = preference.weight;
    }
  });
  if (!gzip) gzip = any.value_or(0);
  // Not named, the text as it is remains acceptable, but whoever names gzip wants that.
  if (!identity) identity = any.value_or(0);
  return *gzip > 0 && *gzip >= *identity;
}

bool prefers_csv(std::string_view accept) {
  const Wanted csv = wanted(accept, "text/*", "text/csv");
  const Wanted json = wanted(accept, "application/*", "application/json");
  if (csv.weight != json.weight) return csv.weight > json.weight;
  return csv.weight > 0 && csv.exactness > json.exactness;
}

}  // namespace geotally::http
