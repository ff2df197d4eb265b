#include "metrics/country_page.h"

#include <array>
#include <charconv>
#include <cstdint>
#include <vector>

#include "base/check.h"
#include "country/country.h"

namespace geotally::metrics {
namespace {

constexpr std::int64_t kMicrosPerSecond = 1'000'000;

/// Appends; everything that is written is made of texts that need no escape: country codes,
/// window names (digits and a unit) and numbers.
class Writer {
 public:
  explicit Writer(std::size_t expected_bytes) { out_.reserve(expected_bytes); }

  void family(std::string_view name, std::string_view type, std::string_view help) {
    text("# HELP ").text(name).text(" ").text(help).text("\n# TYPE ").text(name).text(" ");
    text(type).text("\n");
  }
  Writer& text(std::string_view part) {
    out_.append(part);
    return *this;
  }
  /// Ends a line.
  void value(std::uint64_t number) {
    std::array<char, 21> digits{};
    char* end = std::to_chars(digits.data(), digits.data() + 20, number).ptr;
    *end++ = '\n';
    out_.append(digits.data(), static_cast<std::size_t>(end - digits.data()));
  }
  /// Ends a line: microseconds as seconds, exactly. Requires time_us >= 0.
  void seconds(std::int64_t time_us) {
    GEOTALLY_CHECK(time_us >= 0, "a time to be shown is before 1970");
    std::array<char, 32> digits{};
    char* end = std::to_chars(digits.data(), digits.data() + 20, time_us / kMicrosPerSecond).ptr;
    if (std::int64_t fraction = time_us % kMicrosPerSecond; fraction != 0) {
      *end = '.';
      for (int place = 6; place >= 1; --place, fraction /= 10) {
        end[place] = static_cast<char>('0' + fraction % 10);
      }
      end += 7;
      while (end[-1] == '0') --end;
    }
    *end++ = '\n';
    out_.append(digits.data(), static_cast<std::size_t>(end - digits.data()));
  }
  /// Ends a line; the shortest text that reads back as the same number.
  void real(double number) {
    std::array<char, 32> digits{};
    char* end = std::to_chars(digits.data(), digits.data() + 31, number).ptr;
    *end++ = '\n';
    out_.append(digits.data(), static_cast<std::size_t>(end - digits.data()));
  }
  [[nodiscard]] std::string take() { return std::move(out_); }

 private:
  std::string out_;
};

/// One line a country: NAME{country="FR"} VALUE.
template <class Value>
void per_country(Writer& writer, const tally::Snapshot& snapshot, std::string_view name,
                 std::string_view type, std::string_view help, Value value) {
  writer.family(name, type, help);
  const std::string head = std::string(name) + "{country=\"";
  for (std::size_t i = 0; i < snapshot.countries.size(); ++i) {
    writer.text(head).text(Country::from_index(i).code()).text("\"} ");
    writer.value(value(snapshot.countries[i]));
  }
}

/// One line a country and member: NAME{country="FR",LABEL="24h"} VALUE. `tails` holds
/// `",LABEL="24h"} `, once for all countries.
template <class Value>
void per_country_and(Writer& writer, const tally::Snapshot& snapshot, std::string_view name,
                     std::string_view help, const std::vector<std::string>& tails, Value value) {
  writer.family(name, "gauge", help);
  const std::string head = std::string(name) + "{country=\"";
  for (std::size_t i = 0; i < snapshot.countries.size(); ++i) {
    const std::string_view code = Country::from_index(i).code();
    for (std::size_t member = 0; member < tails.size(); ++member) {
      writer.text(head).text(code).text(tails[member]);
      writer.value(value(snapshot.countries[i], member));
    }
  }
}

}  // namespace

std::string country_page(const tally::Snapshot& snapshot) {
  using Figures = tally::CountryFigures;
  GEOTALLY_CHECK(snapshot.countries.size() == Country::count(), "a snapshot has every country");
  GEOTALLY_CHECK(snapshot.windows.size() <= Figures::kWindowsMax, "a snapshot has few windows");
  GEOTALLY_CHECK(snapshot.window_coverage_us.size() == snapshot.windows.size(),
                 "every window has its coverage");

  std::vector<std::string> windows;
  for (const tally::Window& window : snapshot.windows) {
    windows.push_back("\",window=\"" + window.name + "\"} ");
  }
  std::vector<std::string> classes;
  for (std::size_t i = 0; i < tally::kEngagements; ++i) {
    classes.push_back("\",engagement=\"" +
                      std::string(to_string(static_cast<tally::Engagement>(i))) + "\"} ");
  }

  std::vector<std::string> kinds;
  for (std::size_t i = 0; i < kEvidenceKinds; ++i) {
    kinds.push_back("\",evidence=\"" + std::string(to_string(static_cast<EvidenceKind>(i))) +
                    "\"} ");
  }

  const std::size_t series =
      snapshot.countries.size() * (5 + tally::kEngagements + kEvidenceKinds + 2 * windows.size());
  Writer writer(4'096 + series * 80);

  per_country(writer, snapshot, "geotally_posts_total", "counter",
              "Posts that were accepted, by the country of the account at that moment.",
              [](const Figures& figures) { return figures.posts - figures.posts_base; });
  per_country(
      writer, snapshot, "geotally_posts_deleted_total", "counter",
      "Deletions of posts, by the country of the account at that moment.",
      [](const Figures& figures) { return figures.posts_deleted - figures.posts_deleted_base; });
  per_country_and(writer, snapshot, "geotally_window_posts", "Posts in the window.", windows,
                  [](const Figures& figures, std::size_t i) { return figures.window_posts[i]; });
  per_country_and(writer, snapshot, "geotally_window_active_accounts",
                  "Accounts that posted in the window, exactly.", windows,
                  [](const Figures& figures, std::size_t i) { return figures.window_active[i]; });
  per_country(writer, snapshot, "geotally_accounts", "gauge",
              "Accounts that are known and not gone; ZZ holds those without a country.",
              [](const Figures& figures) { return figures.accounts; });
  per_country(writer, snapshot, "geotally_accounts_bridged", "gauge",
              "Of geotally_accounts those of another network that a bridge tells here.",
              [](const Figures& figures) { return figures.bridged; });
  per_country_and(writer, snapshot, "geotally_accounts_by_engagement",
                  "Accounts by how much they post; the classes sum to geotally_accounts.", classes,
                  [](const Figures& figures, std::size_t i) { return figures.engagement[i]; });

  per_country_and(writer, snapshot, "geotally_accounts_by_evidence",
                  "Accounts by what their country rests on; they sum to geotally_accounts.", kinds,
                  [](const Figures& figures, std::size_t i) { return figures.evidence[i]; });
  writer.family("geotally_accounts_certainty_ratio", "gauge",
                "Mean probability that the country of an account is right; 0 where there is none.");
  for (std::size_t i = 0; i < snapshot.countries.size(); ++i) {
    const Figures& figures = snapshot.countries[i];
    writer.text("geotally_accounts_certainty_ratio{country=\"")
        .text(Country::from_index(i).code())
        .text("\"} ");
    constexpr double kCertain = 255;  // as confidences are stored
    writer.real(figures.accounts == 0 ? 0.0
                                      : static_cast<double>(figures.confidence_sum) / kCertain /
                                            static_cast<double>(figures.accounts));
  }

  writer.family("geotally_feed_gaps_total", "counter", "Stretches of the feed that were missed.");
  writer.text("geotally_feed_gaps_total ").value(snapshot.gaps - snapshot.gaps_base);
  writer.family("geotally_feed_gap_seconds_total", "counter",
                "Length of the stretches of the feed that were missed.");
  writer.text("geotally_feed_gap_seconds_total ").seconds(snapshot.gap_us - snapshot.gap_us_base);
  writer.family("geotally_window_edge_timestamp_seconds", "gauge",
                "Right edge of every window at the commit that this page shows.");
  writer.text("geotally_window_edge_timestamp_seconds ").seconds(snapshot.edge_us);
  writer.family("geotally_window_coverage_seconds", "gauge",
                "How much of the window was observed; less than its length after a cold start, "
                "a gap, or while catching up.");
  for (std::size_t i = 0; i < snapshot.windows.size(); ++i) {
    writer.text("geotally_window_coverage_seconds{window=\"").text(snapshot.windows[i].name);
    writer.text("\"} ").seconds(snapshot.window_coverage_us[i]);
  }
  return writer.take();
}

}  // namespace geotally::metrics
