#include "daemon/evaluate.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>

#include <fmt/format.h>

#include "daemon/exit_code.h"

namespace geotally {
namespace {

constexpr std::size_t kBins = 10;
// From here on, what is said of an account is taken for its country.
constexpr double kSaid = 0.7;

struct View {
  const char* name;
  AccountFields fields;
};
constexpr View kViews[] = {
    {"all evidence", {}},
    {"location text alone", {true, false, false, false, false}},
    {"languages alone", {false, false, true, false, false}},
    {"what Bluesky sends (languages, description, text)", {false, true, true, true, false}},
};

void print(const char* sample, double threshold, const Figures& f) {
  fmt::print("  {:<12} {:>6} {:>9.3f} {:>9.1f} {:>9.1f} {:>9.1f} {:>9.1f} {:>9.3f}\n", sample,
             f.accounts, threshold, 100 * f.coverage, 100 * f.accuracy, 100 * f.correct,
             100 * f.country_mean, f.calibration);
}

const std::string kInAll = "in all";

// What is said at kSaid or more, by what it rests on: how sure, and how often right.
struct Said {
  std::size_t accounts = 0;
  double said = 0;
  double right = 0;
};

void print_said(const std::map<std::string, std::map<std::string, Said>>& samples) {
  fmt::print("  said at {:.1f} to 1 {:<22} {:>6} {:>9} {:>9}\n", kSaid, "on the evidence of", "n",
             "said", "right");
  for (const auto& [sample, grounds] : samples) {
    for (const auto& [ground, sum] : grounds) {
      const auto n = static_cast<double>(sum.accounts);
      fmt::print("  {:<15} {:<22} {:>6} {:>9.3f} {:>9.3f}\n", sample, ground, sum.accounts,
                 sum.said / n, sum.right / n);
    }
  }
}

void report_accounts(const std::vector<AccountLine>& lines, const geo::Resolver& resolver,
                     double threshold) {
  fmt::print("  {:<12} {:>6} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9}\n", "sample", "n", "threshold",
             "coverage", "accuracy", "correct", "by country", "ECE");
  for (const View& view : kViews) {
    std::map<std::string, std::vector<Judged>> samples;
    std::map<std::string, std::map<std::string, Said>> said;
    for (const AccountLine& line : lines) {
      const auto answer = resolve_account(resolver, line, view.fields);
      const Judged judged{line.truth.front(), answer.resolution.country,
                          answer.resolution.confidence / 255.0};
      samples["all"].push_back(judged);
      if (judged.truth.code() != "US") samples["all but US"].push_back(judged);
      if (!line.sample.empty()) samples[line.sample].push_back(judged);
      if (answer.located || !judged.answer.known() || judged.confidence < kSaid) continue;
      for (const std::string& sample : {std::string("all"), line.sample}) {
        if (sample.empty()) continue;
        for (const std::string& ground : {words_of(resolver.ground(answer.state)), kInAll}) {
          Said& sum = said[sample][ground];
          ++sum.accounts;
          sum.said += judged.confidence;
          sum.right += judged.answer == judged.truth ? 1 : 0;
        }
      }
    }
    fmt::print("{}\n", view.name);
    for (const auto& [sample, judged] : samples) {
      print(sample.c_str(), 0, figures(judged, 0));
      print(sample.c_str(), threshold, figures(judged, threshold));
    }
    print_said(said);
  }
}

void report_places(const std::vector<AccountLine>& lines, const geo::Resolver& resolver,
                   double threshold) {
  std::size_t right = 0;
  std::size_t places = 0;
  std::size_t found = 0;
  std::size_t silent = 0;
  for (const AccountLine& line : lines) {
    const auto answer = resolve_account(resolver, line);
    const Country country = answer.resolution.confidence / 255.0 >= threshold
                                ? answer.resolution.country
                                : kUnknownCountry;
    const bool is_place = !line.truth.empty();
    const bool good =
        is_place ? std::find(line.truth.begin(), line.truth.end(), country) != line.truth.end()
                 : !country.known();
    places += is_place ? 1 : 0;
    found += is_place && good ? 1 : 0;
    silent += !is_place && good ? 1 : 0;
    right += good ? 1 : 0;
  }
  const auto share = [](std::size_t part, std::size_t whole) {
    return whole == 0 ? 0.0 : 100.0 * static_cast<double>(part) / static_cast<double>(whole);
  };
  fmt::print("places as written, threshold {:.3f}: {} strings, right or rightly silent {:.1f} %\n",
             threshold, lines.size(), share(right, lines.size()));
  fmt::print("  of {} places right {:.1f} %, of {} others silent {:.1f} %\n", places,
             share(found, places), lines.size() - places, share(silent, lines.size() - places));
}

}  // namespace

std::string words_of(geo::Ground ground) {
  return ground.agreement ? "several kinds" : std::string(to_string(ground.basis)) + " alone";
}

Figures figures(std::span<const Judged> judged, double threshold) {
  Figures result;
  result.accounts = judged.size();
  if (judged.empty()) return result;
  std::size_t answered = 0;
  std::size_t right = 0;
  std::array<double, kBins> sum{};
  std::array<double, kBins> hits{};
  std::map<std::string_view, std::pair<double, double>> by_country;
  for (const Judged& one : judged) {
    const bool says = one.answer.known() && one.confidence >= threshold;
    const bool hit = says && one.answer == one.truth;
    answered += says ? 1 : 0;
    right += hit ? 1 : 0;
    auto& [all, good] = by_country[one.truth.code()];
    ++all;
    good += hit ? 1 : 0;
    if (one.answer.known()) {
      const auto bin = std::min(kBins - 1, static_cast<std::size_t>(one.confidence * kBins));
      sum[bin] += one.confidence;
      hits[bin] += one.answer == one.truth ? 1 : 0;
    }
  }
  const auto n = static_cast<double>(judged.size());
  result.coverage = static_cast<double>(answered) / n;
  result.accuracy = answered == 0 ? 0 : static_cast<double>(right) / static_cast<double>(answered);
  result.correct = static_cast<double>(right) / n;
  for (const auto& [code, counts] : by_country) result.country_mean += counts.second / counts.first;
  result.country_mean /= static_cast<double>(by_country.size());
  for (std::size_t i = 0; i < kBins; ++i) result.calibration += std::abs(sum[i] - hits[i]) / n;
  return result;
}

int run_evaluate(const std::string& file, const geo::Resolver::Options& options) {
  std::ifstream stream(file);
  if (!stream) {
    fmt::print(stderr, "geotally: cannot read {}\n", file);
    return kExitIo;
  }
  // Answers of any confidence are wanted: the threshold is applied to the figures.
  geo::Resolver::Options open = options;
  open.threshold = 0;
  const geo::Resolver resolver(open);
  AccountReader reader;
  std::vector<AccountLine> accounts;
  std::vector<AccountLine> places;
  std::size_t number = 0;
  for (std::string line; std::getline(stream, line);) {
    ++number;
    std::string error;
    auto account = reader.read(line, error);
    if (!account || !account->labelled) {
      fmt::print(stderr, "geotally: {}:{}: {}\n", file, number,
                 account ? "no `country` and no `countries`" : error);
      return kExitData;
    }
    (account->is_place ? places : accounts).push_back(std::move(*account));
  }
  if (!accounts.empty()) report_accounts(accounts, resolver, options.threshold);
  if (!places.empty()) report_places(places, resolver, options.threshold);

  std::vector<double> times;
  for (const auto* lines : {&accounts, &places}) {
    for (const AccountLine& line : *lines) {
      const auto start = std::chrono::steady_clock::now();
      (void)resolve_account(resolver, line);
      times.push_back(
          std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start)
              .count());
    }
  }
  if (!times.empty()) {
    std::sort(times.begin(), times.end());
    fmt::print("µs an account, profile and post: median {:.1f}, 99th percentile {:.1f}\n",
               times[times.size() / 2], times[times.size() * 99 / 100]);
  }
  fmt::print("table: {} bytes\n", resolver.table_bytes());
  return kExitOk;
}

}  // namespace geotally
