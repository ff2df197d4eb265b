// Fits the resolver's weights to accounts whose country is known, and says how good the resolver is
// on accounts that they were not fitted to.
//   geotally-geo-fit [--table FILE] [--write WEIGHTS.inc] FILE…
//       out-of-fold figures, the threshold, then the weights fitted to all accounts
//   geotally-geo-fit [--table FILE] --as-committed FILE…
//       the figures of the committed weights
// FILE holds JSON lines as `geotally evaluate` reads them; nothing of it is kept.
//
// The weights are the most likely ones after the accounts, by Bayes: before them, each is believed
// to be normally distributed around a judged value (weights.inc), which keeps those that few
// accounts speak of where reason puts them. Likelihood: of the country, over four views of each
// account (all evidence, location alone, languages alone, what Bluesky sends); each sample and,
// within a sample, the countries that have many accounts damped by the square root. It is maximised
// by coordinate search, which needs no gradient of a text parser.
// The calibration is fitted last and to the answer alone, on accounts that the other weights were
// not fitted to, by an inner division of the accounts at hand; each sample weighs the same, and
// within it each account, since a confidence speaks of accounts as they come.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/os.h>

#include "daemon/account_line.h"
#include "daemon/evaluate.h"
#include "geo/weights.h"

namespace geotally {
namespace {

constexpr int kFolds = 5;
constexpr int kInnerFolds = 3;
struct View {
  const char* name;
  AccountFields fields;
  double weight;       // in the likelihood
  double calibration;  // the same for the calibration, where all evidence is what counts
};
constexpr View kViews[] = {{"all evidence", {}, 1.0, 1.0},
                           {"location text alone", {true, false, false, false, false}, 0.5, 0.25},
                           {"languages alone", {false, false, true, false, false}, 0.2, 0.05},
                           {"what Bluesky sends", {false, true, true, true, false}, 0.3, 0.05}};
constexpr std::size_t kViewCount = std::size(kViews);

// The threshold is the lowest at which, in every sample, the accuracy is above this by a standard
// error.
constexpr double kAccuracy = 0.93;

bool is_calibration(std::string_view name) { return name == "slope" || name.starts_with("shift"); }
// Whether the weight is at work when evidence is weighed, and not only when a state is resolved.
bool changes_states(std::string_view name) {
  static constexpr std::string_view kNames[] = {"prior", "location", "description",
                                                "flag",  "flags",    "profile_region"};
  return std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames);
}

struct Data {
  std::vector<AccountLine> lines;
  // Each sums to the number of accounts that they are worth.
  std::vector<double> weights;  // in the likelihood
  std::vector<double> plain;  // in the calibration: samples weigh the same, countries as they come
};

using Samples = std::map<std::string, std::vector<Judged>>;

class Fitter {
 public:
  // Accounts that were judged by weights that were not fitted to them.
  struct Answer {
    std::size_t line;
    std::size_t view;
    geo::Resolution resolution;
    bool right;
    bool sure;  // at the threshold
  };

  struct Fit {
    geo::Weights weights;
    double threshold = 0;
  };

  Fitter(const Data& data, std::filesystem::path table) : data_(data), table_(std::move(table)) {}

  // Fits to the accounts of `lines`.
  Fit fit(const std::vector<std::size_t>& lines) const {
    Fit result{search(lines)};
    std::vector<Answer> answers;
    for (int fold = 0; fold < kInnerFolds; ++fold) {
      const auto [inside, outside] = divide(lines, fold, kInnerFolds);
      judge({uncalibrated(search(outside)), 0}, inside, answers);
    }
    calibrate(result.weights, answers);
    answers.clear();
    judge(result, lines, answers);
    result.threshold = threshold(answers);
    return result;
  }

  // The accounts of `lines` that are in the fold, and the others.
  static std::pair<std::vector<std::size_t>, std::vector<std::size_t>> divide(
      const std::vector<std::size_t>& lines, int fold, int folds) {
    std::pair<std::vector<std::size_t>, std::vector<std::size_t>> result;
    for (std::size_t i = 0; i < lines.size(); ++i) {
      const bool in = static_cast<int>(i % static_cast<std::size_t>(folds)) == fold;
      (in ? result.first : result.second).push_back(lines[i]);
    }
    return result;
  }

  void judge(const Fit& fit, const std::vector<std::size_t>& lines,
             std::vector<Answer>& answers) const {
    const geo::Resolver resolver({.threshold = 0, .table = table_, .weights = &fit.weights});
    for (const std::size_t line : lines) {
      for (std::size_t v = 0; v < kViewCount; ++v) {
        const auto answer = resolve_account(resolver, data_.lines[line], kViews[v].fields);
        answers.push_back({line, v, answer.resolution,
                           answer.resolution.country == data_.lines[line].truth.front(),
                           answer.resolution.confidence / 255.0 >= fit.threshold});
      }
    }
  }

 private:
  using States = std::vector<std::array<geo::EvidenceState, kViewCount>>;

  static geo::Weights uncalibrated(geo::Weights weights) {
    weights.slope = 1;
    weights.shift = weights.shift_place = weights.shift_flag = 0;
    return weights;
  }

  geo::Weights search(const std::vector<std::size_t>& lines) const {
    geo::Weights weights;
    for (const auto& info : geo::kWeightInfos) weights.*info.member = info.judged;
    States states = weigh(weights, lines);
    double best = loss(weights, lines, states);
    double step = 1;  // of the spread
    for (int round = 0; round < 4; ++round, step *= 0.5) {
      for (const auto& info : geo::kWeightInfos) {
        if (is_calibration(info.name) || info.spread == 0) continue;
        for (const float direction : {1.0F, -1.0F}) {
          for (int repeat = 0; repeat < 4; ++repeat) {
            geo::Weights tried = weights;
            tried.*info.member += direction * static_cast<float>(step) * info.spread;
            States changed;
            if (changes_states(info.name)) changed = weigh(tried, lines);
            const double value = loss(tried, lines, changed.empty() ? states : changed);
            if (value >= best - 1e-6) break;
            best = value;
            weights = tried;
            if (!changed.empty()) states = std::move(changed);
          }
        }
      }
    }
    return weights;
  }

  States weigh(const geo::Weights& weights, const std::vector<std::size_t>& lines) const {
    const geo::Resolver resolver({.threshold = 0, .table = table_, .weights = &weights});
    States states(lines.size());
    for (std::size_t i = 0; i < lines.size(); ++i) {
      for (std::size_t v = 0; v < kViewCount; ++v) {
        states[i][v] = resolve_account(resolver, data_.lines[lines[i]], kViews[v].fields).state;
      }
    }
    return states;
  }

  // Minus the logarithm of what the weights are worth, by their prior and by the accounts.
  double loss(const geo::Weights& weights, const std::vector<std::size_t>& lines,
              const States& states) const {
    const geo::Resolver resolver({.threshold = 0, .table = table_, .weights = &weights});
    double all_views = 0;
    for (const View& view : kViews) all_views += view.weight;
    double sum = 0;
    for (std::size_t i = 0; i < lines.size(); ++i) {
      for (std::size_t v = 0; v < kViewCount; ++v) {
        const double p = resolver.probability(states[i][v], data_.lines[lines[i]].truth.front());
        // One traveller must not decide: the loss is bounded.
        constexpr double kTraveller = 0.02;
        sum -= kViews[v].weight / all_views * data_.weights[lines[i]] *
               std::log(kTraveller + (1 - kTraveller) * p);
      }
    }
    for (const auto& info : geo::kWeightInfos) {
      if (is_calibration(info.name) || info.spread == 0) continue;
      const double moved = (weights.*info.member - info.judged) / info.spread;
      sum += moved * moved / 2;
    }
    return sum;
  }

  static constexpr float geo::Weights::*kShifts[] = {
      &geo::Weights::shift, &geo::Weights::shift_place, &geo::Weights::shift_flag};
  // Index in kShifts.
  static std::size_t shift_of(const Answer& answer) {
    const EvidenceKind kind = answer.resolution.evidence;
    if (kind == EvidenceKind::kPlace || kind == EvidenceKind::kExplicit) return 1;
    return kind == EvidenceKind::kFlag ? 2 : 0;
  }
  // Of an answer without calibration.
  static double logit_of(const Answer& answer) {
    const double c = std::clamp(answer.resolution.confidence / 255.0, 0.002, 0.998);
    return std::log(c / (1 - c));
  }

  double threshold(const std::vector<Answer>& answers) const {
    Samples samples;
    for (const Answer& answer : answers) {
      if (answer.view != 0) continue;
      const AccountLine& line = data_.lines[answer.line];
      samples[line.sample].push_back(
          {line.truth.front(), answer.resolution.country, answer.resolution.confidence / 255.0});
    }
    for (int step = 100; step < 199; ++step) {
      bool good = true;
      for (const auto& [name, judged] : samples) {
        const Figures f = figures(judged, step / 200.0);
        const double answered = f.coverage * static_cast<double>(f.accounts);
        good = good && answered > 0 &&
               f.accuracy - std::sqrt(f.accuracy * (1 - f.accuracy) / answered) >= kAccuracy;
      }
      if (good) return step / 200.0;
    }
    return 0.99;
  }

  // The share of right answers as logistic(slope × logit + shift of the kind), by Newton's method.
  // Slope and shifts are pulled to their judged values as the other weights are.
  void calibrate(geo::Weights& weights, const std::vector<Answer>& answers) const {
    const auto info_of = [](float geo::Weights::*member) {
      return *std::find_if(std::begin(geo::kWeightInfos), std::end(geo::kWeightInfos),
                           [&](const auto& info) { return info.member == member; });
    };
    weights.slope = info_of(&geo::Weights::slope).judged;
    for (const auto shift : kShifts) weights.*shift = info_of(shift).judged;
    for (int step = 0; step < 50; ++step) {
      // Gradient and curvature; the shifts meet each other only in the slope.
      const auto pulled = [&](float geo::Weights::*member, double& gradient, double& curve) {
        const auto info = info_of(member);
        curve = 1.0 / (info.spread * info.spread);
        gradient = (info.judged - weights.*member) * curve;
      };
      double ga = 0, haa = 0;
      std::array<double, 3> gb{}, hab{}, hbb{};
      pulled(&geo::Weights::slope, ga, haa);
      for (std::size_t k = 0; k < 3; ++k) pulled(kShifts[k], gb[k], hbb[k]);
      for (const Answer& answer : answers) {
        if (!answer.resolution.country.known()) continue;
        const double x = logit_of(answer);
        const std::size_t k = shift_of(answer);
        const double p = 1 / (1 + std::exp(-(weights.slope * x + weights.*kShifts[k])));
        const double weight = kViews[answer.view].calibration * data_.plain[answer.line];
        const double error = weight * ((answer.right ? 1 : 0) - p);
        const double curve = weight * p * (1 - p);
        ga += error * x;
        haa += curve * x * x;
        gb[k] += error;
        hab[k] += curve * x;
        hbb[k] += curve;
      }
      for (std::size_t k = 0; k < 3; ++k) {
        ga -= hab[k] * gb[k] / hbb[k];
        haa -= hab[k] * hab[k] / hbb[k];
      }
      const double slope = ga / haa;
      weights.slope += static_cast<float>(slope);
      for (std::size_t k = 0; k < 3; ++k) {
        weights.*kShifts[k] += static_cast<float>((gb[k] - hab[k] * slope) / hbb[k]);
      }
    }
  }

  const Data& data_;
  std::filesystem::path table_;
};

Samples samples_of(const Data& data, const std::vector<Fitter::Answer>& answers, std::size_t view,
                   bool at_threshold) {
  Samples samples;
  for (const auto& answer : answers) {
    if (answer.view != view) continue;
    const AccountLine& line = data.lines[answer.line];
    const bool silent = at_threshold && !answer.sure;
    const Judged judged{line.truth.front(), silent ? kUnknownCountry : answer.resolution.country,
                        answer.resolution.confidence / 255.0};
    samples["all"].push_back(judged);
    if (judged.truth.code() != "US") samples["all but US"].push_back(judged);
    samples[line.sample].push_back(judged);
  }
  return samples;
}

void print(const Data& data, const std::vector<Fitter::Answer>& answers) {
  for (std::size_t v = 0; v < kViewCount; ++v) {
    fmt::print("{}\n", kViews[v].name);
    for (const bool at_threshold : {false, true}) {
      for (const auto& [sample, judged] : samples_of(data, answers, v, at_threshold)) {
        const Figures f = figures(judged, 0);
        fmt::print("  {:<9} {:<12} n {:>5}: coverage {:5.1f} accuracy {:5.1f} correct {:5.1f}",
                   at_threshold ? "threshold" : "all", sample, f.accounts, 100 * f.coverage,
                   100 * f.accuracy, 100 * f.correct);
        if (!at_threshold) {
          fmt::print(" by country {:5.1f} ECE {:.3f}", 100 * f.country_mean, f.calibration);
        }
        fmt::print("\n");
      }
    }
  }
}

void write(const std::string& path, const geo::Weights& weights) {
  auto file = fmt::output_file(path);
  file.print(
      "// GEOTALLY_WEIGHT(name, fitted value, judged value, spread of the judgement, what it is)\n"
      "// Written by geotally-geo-fit --write; judged values and spreads are what is edited here.\n"
      "// clang-format off\n");
  for (const auto& info : geo::kWeightInfos) {
    file.print("GEOTALLY_WEIGHT({}, {:.3f}, {:g}, {:g}, \"{}\")\n", info.name, weights.*info.member,
               info.judged, info.spread, info.words);
  }
  file.print("// clang-format on\n");
}

Data read(const std::vector<std::string>& files) {
  Data data;
  AccountReader reader;
  for (const std::string& name : files) {
    std::ifstream file(name);
    if (!file) throw std::runtime_error("cannot read " + name);
    for (std::string line; std::getline(file, line);) {
      std::string error;
      auto account = reader.read(line, error);
      if (account && account->labelled && account->truth.size() == 1)
        data.lines.push_back(std::move(*account));
    }
  }
  if (data.lines.empty()) {
    throw std::runtime_error(
        "usage: geotally-geo-fit [--table FILE] [--as-committed | --write WEIGHTS.inc] FILE…");
  }
  std::map<std::string, double> samples;
  std::map<std::string, double> countries;
  const auto key = [](const AccountLine& line) {
    return line.sample + std::string(line.truth.front().code());
  };
  for (const auto& line : data.lines) ++countries[key(line)];
  for (const auto& line : data.lines) samples[line.sample] += 1 / std::sqrt(countries[key(line)]);
  std::map<std::string, double> sizes;
  for (const auto& line : data.lines) ++sizes[line.sample];
  for (const auto& line : data.lines) {
    data.weights.push_back(1 / std::sqrt(countries[key(line)]) / samples[line.sample]);
    data.plain.push_back(1 / sizes[line.sample]);
  }
  // So many accounts of equal weight would say as much.
  for (auto* weights : {&data.weights, &data.plain}) {
    double sum = 0;
    double squares = 0;
    for (const double weight : *weights) {
      sum += weight;
      squares += weight * weight;
    }
    for (double& weight : *weights) weight *= sum / squares;
  }
  return data;
}

int run(int argc, char** argv) {
  bool only_evaluate = false;
  std::vector<std::string> files;
  std::string output;
  std::filesystem::path table;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--table" && i + 1 < argc) {
      table = argv[++i];
    } else if (argument == "--write" && i + 1 < argc) {
      output = argv[++i];
    } else if (argument == "--as-committed") {
      only_evaluate = true;
    } else {
      files.emplace_back(argument);
    }
  }
  const Data data = read(files);
  const Fitter fitter(data, table);
  std::vector<std::size_t> everything(data.lines.size());
  for (std::size_t i = 0; i < everything.size(); ++i) everything[i] = i;
  std::vector<Fitter::Answer> answers;
  if (only_evaluate) {
    fitter.judge({geo::Weights{}, geo::Resolver::kDefaultThreshold}, everything, answers);
    fmt::print("committed weights, threshold {:.3f}\n", geo::Resolver::kDefaultThreshold);
    print(data, answers);
    return 0;
  }
  std::vector<Fitter::Fit> folds;
  for (int fold = 0; fold < kFolds; ++fold) {
    const auto [inside, outside] = Fitter::divide(everything, fold, kFolds);
    folds.push_back(fitter.fit(outside));
    fitter.judge(folds.back(), inside, answers);
  }
  fmt::print("out of fold\n");
  print(data, answers);
  const Fitter::Fit all = fitter.fit(everything);
  const geo::Weights& weights = all.weights;
  fmt::print("\nfitted to everything\n  {:<18} {:.3f}   folds", "threshold", all.threshold);
  for (const auto& fold : folds) fmt::print(" {:.3f}", fold.threshold);
  fmt::print("\n");
  for (const auto& info : geo::kWeightInfos) {
    fmt::print("  {:<18} {:.3f}   judged {:.3f} ± {:.3f}   folds", info.name, weights.*info.member,
               info.judged, info.spread);
    for (const auto& fold : folds) fmt::print(" {:.3f}", fold.weights.*info.member);
    fmt::print("\n");
  }
  if (!output.empty()) write(output, weights);
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
