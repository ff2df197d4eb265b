// Fits the resolver's weights to accounts whose country is known, and says how good they are on
// accounts that they were not fitted to.
//   geotally-geo-fit [--table FILE] FILE…    out-of-fold figures, then the weights fitted to all
//   geotally-geo-fit --as-committed FILE…    the figures of the committed weights
// FILE holds JSON lines as `geotally evaluate` reads them; nothing of it is kept.
//
// Loss: the mean log-loss of the country over four views of each account (all evidence, location
// alone, languages alone, what Bluesky sends), each sample and, within a sample, the countries
// that have many accounts damped by the square root; minimised by coordinate search, which needs
// no gradient of a text parser. A pull towards the committed start keeps weights that the data
// do not speak of. The calibration (slope, intercept) is fitted last, to the answer alone.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "daemon/account_line.h"
#include "daemon/evaluate.h"
#include "geo/weights.h"

namespace geotally {
namespace {

constexpr int kFolds = 5;
constexpr AccountFields kViews[] = {{},
                                    {true, false, false, false, false},
                                    {false, false, true, false, false},
                                    {false, true, true, true, false}};
constexpr double kViewWeights[] = {1.0, 0.5, 0.2, 0.3};
constexpr double kPull = 0.002;

struct Data {
  std::vector<AccountLine> lines;
  std::vector<double> weights;
};

bool is_calibration(std::string_view name) {
  return name == "slope" || name == "intercept" || name == "ceiling";
}

class Fitter {
 public:
  Fitter(const Data& data, std::filesystem::path table) : data_(data), table_(std::move(table)) {}

  // Fits to the accounts that are not of `fold` (−1 = to all).
  geo::Weights fit(int fold) const {
    geo::Weights weights;
    weights.slope = 1;
    weights.intercept = 0;
    weights.ceiling = 1;
    double best = loss(weights, fold);
    double step = 0.15;
    for (int round = 0; round < 3; ++round, step *= 0.5) {
      for (const auto& info : geo::kWeightInfos) {
        if (is_calibration(info.name) || info.low == info.high) continue;
        for (const double direction : {1.0, -1.0}) {
          for (int repeat = 0; repeat < 4; ++repeat) {
            geo::Weights tried = weights;
            const auto range = static_cast<double>(info.high - info.low);
            tried.*info.member = static_cast<float>(std::clamp<double>(
                weights.*info.member + direction * step * range, info.low, info.high));
            if (tried.*info.member == weights.*info.member) break;
            const double value = loss(tried, fold);
            if (value >= best - 1e-6) break;
            best = value;
            weights = tried;
          }
        }
      }
    }
    calibrate(weights, fold);
    return weights;
  }

  std::vector<Judged> judge(const geo::Weights& weights, int fold, std::size_t view, bool inside,
                            std::vector<const AccountLine*>* lines = nullptr) const {
    const geo::Resolver resolver({.threshold = 0, .table = table_, .weights = &weights});
    std::vector<Judged> result;
    for (std::size_t i = 0; i < data_.lines.size(); ++i) {
      if (fold >= 0 && (static_cast<int>(i % kFolds) == fold) != inside) continue;
      const auto answer = resolve_account(resolver, data_.lines[i], kViews[view]);
      result.push_back({data_.lines[i].truth.front(), answer.resolution.country,
                        answer.resolution.confidence / 255.0});
      if (lines != nullptr) lines->push_back(&data_.lines[i]);
    }
    return result;
  }

 private:
  double loss(const geo::Weights& weights, int fold) const {
    const geo::Resolver resolver({.threshold = 0, .table = table_, .weights = &weights});
    double sum = 0;
    double total = 0;
    for (std::size_t i = 0; i < data_.lines.size(); ++i) {
      if (fold >= 0 && static_cast<int>(i % kFolds) == fold) continue;
      for (std::size_t v = 0; v < std::size(kViews); ++v) {
        const auto answer = resolve_account(resolver, data_.lines[i], kViews[v]);
        const double p = resolver.probability(answer.state, data_.lines[i].truth.front());
        // One traveller must not decide: the loss is bounded.
        sum -= kViewWeights[v] * data_.weights[i] * std::log(0.02 + 0.98 * p);
        total += kViewWeights[v] * data_.weights[i];
      }
    }
    double pull = 0;
    const geo::Weights start;
    for (const auto& info : geo::kWeightInfos) {
      if (is_calibration(info.name) || info.low == info.high) continue;
      const double moved = (weights.*info.member - start.*info.member) / (info.high - info.low);
      pull += moved * moved;
    }
    return sum / total + kPull * pull;
  }

  // The share of right answers as ceiling × logistic(slope × logit + intercept): by Newton's method
  // for each ceiling, the most likely one kept.
  void calibrate(geo::Weights& weights, int fold) const {
    struct Pair {
      double logit, right, weight;
    };
    std::vector<Pair> pairs;
    std::map<std::string, std::size_t> sizes;  // every sample weighs the same
    for (const AccountLine& line : data_.lines) ++sizes[line.sample];
    std::vector<const AccountLine*> lines;
    for (std::size_t v = 0; v < std::size(kViews); ++v) {
      lines.clear();
      const auto judged = judge(weights, fold, v, false, &lines);
      for (std::size_t i = 0; i < judged.size(); ++i) {
        if (!judged[i].answer.known()) continue;
        const double p = std::clamp(judged[i].confidence, 0.002, 0.998);
        pairs.push_back({std::log(p / (1 - p)), judged[i].answer == judged[i].truth ? 1.0 : 0.0,
                         (v == 0 ? 1.0 : 0.05) / static_cast<double>(sizes.at(lines[i]->sample))});
      }
    }
    double most_likely = -1e300;
    for (double ceiling = 0.93; ceiling < 1.0005; ceiling += 0.005) {
      double a = 1;
      double b = 0;
      double likelihood = 0;
      for (int step = 0; step < 100; ++step) {
        // Gradient and Gauss-Newton curvature of the log-likelihood.
        double ga = 0, gb = 0, haa = 1e-4, hab = 0, hbb = 1e-4;
        likelihood = 0;
        for (const Pair& pair : pairs) {
          const double s = 1 / (1 + std::exp(-(a * pair.logit + b)));
          const double p = std::clamp(ceiling * s, 1e-4, 0.9999);
          const double slope = ceiling * s * (1 - s);
          const double error = pair.weight * (pair.right - p) / (p * (1 - p)) * slope;
          const double curve = pair.weight * slope * slope / (p * (1 - p));
          likelihood += pair.weight * (pair.right > 0 ? std::log(p) : std::log(1 - p));
          ga += error * pair.logit;
          gb += error;
          haa += curve * pair.logit * pair.logit;
          hab += curve * pair.logit;
          hbb += curve;
        }
        const double determinant = haa * hbb - hab * hab;
        a += 0.5 * (hbb * ga - hab * gb) / determinant;
        b += 0.5 * (haa * gb - hab * ga) / determinant;
      }
      if (likelihood <= most_likely) continue;
      most_likely = likelihood;
      weights.slope = static_cast<float>(a);
      weights.intercept = static_cast<float>(b);
      weights.ceiling = static_cast<float>(ceiling);
    }
  }

  const Data& data_;
  std::filesystem::path table_;
};

void print(const char* what, const std::vector<Judged>& judged) {
  for (const double threshold : {0.0, 0.5, 0.6, 0.7}) {
    const Figures f = figures(judged, threshold);
    fmt::print(
        "  {:<44} n {:>5} at {:.1f}: coverage {:5.1f} accuracy {:5.1f} correct {:5.1f} by country "
        "{:5.1f} ECE {:.3f}\n",
        what, f.accounts, threshold, 100 * f.coverage, 100 * f.accuracy, 100 * f.correct,
        100 * f.country_mean, f.calibration);
  }
}

int run(int argc, char** argv) {
  bool only_evaluate = false;
  Data data;
  AccountReader reader;
  std::filesystem::path table;
  for (int i = 1; i < argc; ++i) {
    if (std::string_view(argv[i]) == "--table" && i + 1 < argc) {
      table = argv[++i];
      continue;
    }
    if (std::string_view(argv[i]) == "--as-committed") {
      only_evaluate = true;
      continue;
    }
    std::ifstream file(argv[i]);
    if (!file) throw std::runtime_error(std::string("cannot read ") + argv[i]);
    for (std::string line; std::getline(file, line);) {
      std::string error;
      auto account = reader.read(line, error);
      if (account && account->labelled && account->truth.size() == 1)
        data.lines.push_back(std::move(*account));
    }
  }
  if (data.lines.empty())
    throw std::runtime_error("usage: geotally-geo-fit [--table FILE] [--as-committed] FILE…");
  std::map<std::string, double> samples;
  std::map<std::string, double> countries;
  const auto key = [](const AccountLine& line) {
    return line.sample + line.truth.front().code().data();
  };
  for (const auto& line : data.lines) ++countries[key(line)];
  for (const auto& line : data.lines) samples[line.sample] += 1 / std::sqrt(countries[key(line)]);
  for (const auto& line : data.lines) {
    data.weights.push_back(1 / std::sqrt(countries[key(line)]) / samples[line.sample]);
  }
  const Fitter fitter(data, table);
  constexpr const char* kNames[] = {"all evidence", "location text alone", "languages alone",
                                    "what Bluesky sends"};
  std::vector<geo::Weights> folds;
  for (int fold = 0; fold < kFolds; ++fold)
    folds.push_back(only_evaluate ? geo::Weights{} : fitter.fit(fold));
  fmt::print("{}\n", only_evaluate ? "committed weights" : "out of fold");
  for (std::size_t v = 0; v < std::size(kViews); ++v) {
    std::vector<Judged> all;
    std::map<std::string, std::vector<Judged>> by_sample;
    for (int fold = 0; fold < kFolds; ++fold) {
      std::vector<const AccountLine*> lines;
      const auto judged =
          fitter.judge(folds[static_cast<std::size_t>(fold)], fold, v, true, &lines);
      for (std::size_t i = 0; i < judged.size(); ++i) {
        all.push_back(judged[i]);
        by_sample[lines[i]->sample].push_back(judged[i]);
        if (judged[i].truth.code() != "US") by_sample["all but US"].push_back(judged[i]);
      }
    }
    fmt::print("{}\n", kNames[v]);
    print("all", all);
    for (const auto& [sample, judged] : by_sample) print(sample.c_str(), judged);
  }
  if (only_evaluate) return 0;
  const geo::Weights weights = fitter.fit(-1);
  fmt::print("\nweights fitted to everything\n");
  for (const auto& info : geo::kWeightInfos) {
    fmt::print("  {:<18} {:.3f}   folds", info.name, weights.*info.member);
    for (const auto& fold : folds) fmt::print(" {:.3f}", fold.*info.member);
    fmt::print("\n");
  }
  return 0;
}

}  // namespace
}  // namespace geotally

int main(int argc, char** argv) try {
  return geotally::run(argc, argv);
} catch (const std::exception& error) {
  std::fprintf(stderr, "geotally-geo-fit: %s\n", error.what());
  return 1;
}
