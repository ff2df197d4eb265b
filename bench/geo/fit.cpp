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
// account (all evidence, location alone, languages alone, what Bluesky sends). It is maximised by
// coordinate search. What a profile leaves in an evidence state is no weight (stored_weights.h), so
// that every account is weighed once.
// The calibration is fitted last and to the answer alone, on accounts that the other weights were
// not fitted to, by an inner division of the accounts at hand: for each basis of an answer a line
// from the logit of its probability to that of its confidence (Platt), pulled to judged values.
// Places as written (lines with `countries`) count in the calibration, as locations: what is none
// and is taken for one is wrong. Samples: the one that was drawn worldwide is the fair part. The
// others were drawn from the users of a few areas, who are found elsewhere when they travel; they
// tell what accounts of these areas' countries give away, but not how many there are. So the
// accounts of the fair sample that are in one of these countries and all the others together weigh
// as much as the former alone, and each of them the same; the rest of the fair sample weighs 1 an
// account.
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
                           {"location text alone", {true, false, false, false, false}, 0.5, 0.5},
                           {"languages alone", {false, false, true, false, false}, 0.2, 0.2},
                           {"what Bluesky sends", {false, true, true, true, false}, 0.5, 1.0}};
constexpr std::size_t kViewCount = std::size(kViews);
constexpr std::size_t kAll = 0;
constexpr std::size_t kLocation = 1;
constexpr std::size_t kBluesky = 3;

constexpr std::string_view kFairSample = "worldwide";
// From so many accounts on, a country is one of those that the other samples were drawn from.
constexpr std::size_t kDrawnFrom = 100;

// The threshold is the lowest at which, in the fair sample, the accuracy is this, by all evidence
// and by what Bluesky sends; but well above what weak evidence is held at.
constexpr double kAccuracy = 0.94;
constexpr double kLeastThreshold = geo::kMostOfWeak + 0.05;
// From here on, what is said of an account is taken for its country.
constexpr double kSaid = 0.7;

bool is_calibration(std::string_view name) {
  return name.starts_with("slope_") || name.starts_with("shift_") || name == "agreement";
}

struct Data {
  std::vector<AccountLine> lines;
  std::vector<std::array<geo::EvidenceState, kViewCount>> states;
  std::vector<double> weights;  // of each account; their sum is what they are worth
};

using Samples = std::map<std::string, std::vector<Judged>>;

class Fitter {
 public:
  // Accounts that were judged by weights that were not fitted to them.
  struct Answer {
    std::size_t line;
    std::size_t view;
    geo::Resolution resolution;
    geo::Ground ground;
    double probability;  // before calibration
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
      judge({search(outside), 0}, inside, answers);
    }
    calibrate(result.weights, answers);
    // The threshold, by the same accounts.
    for (Answer& answer : answers) {
      const double said = geo::confidence_of(result.weights, answer.probability, answer.ground);
      answer.resolution.confidence = static_cast<std::uint8_t>(255 * said);
    }
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
      const auto& truth = data_.lines[line].truth;
      for (std::size_t v = 0; v < kViewCount; ++v) {
        if (data_.lines[line].is_place && v != kLocation) continue;
        const geo::EvidenceState& state = data_.states[line][v];
        const auto resolution = resolver.resolve(state);
        const bool known = resolution.country.known();
        answers.push_back({line, v, resolution, known ? resolver.ground(state) : geo::Ground{},
                           known ? resolver.probability(state, resolution.country) : 0,
                           std::find(truth.begin(), truth.end(), resolution.country) != truth.end(),
                           resolution.confidence / 255.0 >= fit.threshold});
      }
    }
  }

 private:
  geo::Weights search(const std::vector<std::size_t>& lines) const {
    geo::Weights weights;
    for (const auto& info : geo::kWeightInfos) weights.*info.member = info.judged;
    double best = loss(weights, lines);
    double step = 1;  // of the spread
    for (int round = 0; round < 4; ++round, step *= 0.5) {
      for (const auto& info : geo::kWeightInfos) {
        if (is_calibration(info.name) || info.spread == 0) continue;
        for (const float direction : {1.0F, -1.0F}) {
          for (int repeat = 0; repeat < 4; ++repeat) {
            geo::Weights tried = weights;
            tried.*info.member += direction * static_cast<float>(step) * info.spread;
            const double value = loss(tried, lines);
            if (value >= best - 1e-6) break;
            best = value;
            weights = tried;
          }
        }
      }
    }
    return weights;
  }

  // Minus the logarithm of what the weights are worth, by their prior and by the accounts.
  double loss(const geo::Weights& weights, const std::vector<std::size_t>& lines) const {
    const geo::Resolver resolver({.threshold = 0, .table = table_, .weights = &weights});
    double all_views = 0;
    for (const View& view : kViews) all_views += view.weight;
    double sum = 0;
    for (const std::size_t line : lines) {
      if (data_.lines[line].is_place) continue;
      for (std::size_t v = 0; v < kViewCount; ++v) {
        const double p =
            resolver.probability(data_.states[line][v], data_.lines[line].truth.front());
        // One traveller must not decide: the loss is bounded.
        constexpr double kTraveller = 0.02;
        sum -= kViews[v].weight / all_views * data_.weights[line] *
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

  double threshold(const std::vector<Answer>& answers) const {
    for (double tried = kLeastThreshold; tried < 0.99; tried += 0.005) {
      const auto accuracy = [&](std::size_t view) {
        double said = 0;
        double right = 0;
        for (const Answer& answer : answers) {
          if (answer.view != view || data_.lines[answer.line].sample != kFairSample) continue;
          if (answer.resolution.confidence / 255.0 < tried) continue;
          said += 1;
          right += answer.right ? 1 : 0;
        }
        return said == 0 ? 1 : right / said;
      };
      if (accuracy(kAll) >= kAccuracy && accuracy(kBluesky) >= kAccuracy) return tried;
    }
    return 0.99;
  }

  // The slopes, the shifts and what agreement adds.
  static constexpr std::size_t kCalibrated = 2 * geo::kBases + 1;
  using Line = std::array<double, kCalibrated>;

  // The share of right answers as logistic(slope × logit + shift), by Newton's method.
  void calibrate(geo::Weights& weights, const std::vector<Answer>& answers) const {
    std::array<float geo::Weights::*, kCalibrated> members{};
    for (std::size_t basis = 0; basis < geo::kBases; ++basis) {
      members[2 * basis] = geo::kCalibrations[basis].slope;
      members[2 * basis + 1] = geo::kCalibrations[basis].shift;
    }
    members.back() = &geo::Weights::agreement;
    Line judged{};
    Line pull{};
    for (std::size_t i = 0; i < kCalibrated; ++i) {
      for (const auto& info : geo::kWeightInfos) {
        if (info.member != members[i]) continue;
        judged[i] = info.judged;
        pull[i] = 1.0 / (info.spread * info.spread);
      }
    }
    Line line = judged;
    double before = -1e300;
    Line step{};
    for (int round = 0; round < 100; ++round) {
      // Value, gradient and curvature at `line`; back half a step where it is worse than before.
      double value = 0;
      Line gradient{};
      std::array<Line, kCalibrated> curve{};
      for (std::size_t i = 0; i < kCalibrated; ++i) {
        value -= pull[i] * (line[i] - judged[i]) * (line[i] - judged[i]) / 2;
        gradient[i] = pull[i] * (judged[i] - line[i]);
        curve[i][i] = pull[i];
      }
      for (const Answer& answer : answers) {
        if (!answer.resolution.country.known()) continue;
        Line x{};
        const auto basis = static_cast<std::size_t>(answer.ground.basis);
        x[2 * basis] = geo::bounded_logit(answer.probability);
        x[2 * basis + 1] = 1;
        x.back() = answer.ground.agreement ? 1 : 0;
        const std::array<std::size_t, 3> used = {2 * basis, 2 * basis + 1, kCalibrated - 1};
        double odds = 0;
        for (const std::size_t i : used) odds += line[i] * x[i];
        const double p = 1 / (1 + std::exp(-odds));
        const double weight = kViews[answer.view].calibration * data_.weights[answer.line];
        value += weight * std::log(std::max(answer.right ? p : 1 - p, 1e-300));
        for (const std::size_t i : used) {
          gradient[i] += weight * ((answer.right ? 1 : 0) - p) * x[i];
          for (const std::size_t j : used) curve[i][j] += weight * p * (1 - p) * x[i] * x[j];
        }
      }
      if (value < before) {
        for (std::size_t i = 0; i < kCalibrated; ++i) line[i] -= step[i] /= 2;
        continue;
      }
      before = value;
      step = solve(curve, gradient);
      for (std::size_t i = 0; i < kCalibrated; ++i) line[i] += step[i];
    }
    for (std::size_t i = 0; i < kCalibrated; ++i) weights.*members[i] = static_cast<float>(line[i]);
  }

  // By Gauss; the matrix is positive definite.
  static Line solve(std::array<Line, kCalibrated> matrix, Line right) {
    for (std::size_t i = 0; i < kCalibrated; ++i) {
      for (std::size_t row = i + 1; row < kCalibrated; ++row) {
        const double factor = matrix[row][i] / matrix[i][i];
        for (std::size_t k = i; k < kCalibrated; ++k) matrix[row][k] -= factor * matrix[i][k];
        right[row] -= factor * right[i];
      }
    }
    for (std::size_t i = kCalibrated; i-- > 0;) {
      for (std::size_t k = i + 1; k < kCalibrated; ++k) right[i] -= matrix[i][k] * right[k];
      right[i] /= matrix[i][i];
    }
    return right;
  }

  const Data& data_;
  std::filesystem::path table_;
};

Samples samples_of(const Data& data, const std::vector<Fitter::Answer>& answers, std::size_t view,
                   bool at_threshold) {
  Samples samples;
  for (const auto& answer : answers) {
    const AccountLine& line = data.lines[answer.line];
    if (answer.view != view || line.is_place) continue;
    const bool silent = at_threshold && !answer.sure;
    const Judged judged{line.truth.front(), silent ? kUnknownCountry : answer.resolution.country,
                        answer.resolution.confidence / 255.0};
    samples["all"].push_back(judged);
    if (judged.truth.code() != "US") samples["all but US"].push_back(judged);
    samples[line.sample].push_back(judged);
  }
  return samples;
}

void print_places(const Data& data, const std::vector<Fitter::Answer>& answers) {
  std::size_t places = 0;
  std::size_t good = 0;
  for (const auto& answer : answers) {
    if (!data.lines[answer.line].is_place) continue;
    ++places;
    const bool says = answer.sure && answer.resolution.country.known();
    if (data.lines[answer.line].truth.empty() ? !says : says && answer.right) ++good;
  }
  if (places == 0) return;
  fmt::print("places as written, {}: right or rightly silent {:.1f} %\n", places,
             100.0 * static_cast<double>(good) / static_cast<double>(places));
}

void print(const Data& data, const std::vector<Fitter::Answer>& answers) {
  print_places(data, answers);
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

// Of what is said at kSaid or more: how many by what it rests on, how sure, and how often right.
void print_bases(const Data& data, const std::vector<Fitter::Answer>& answers) {
  struct Sum {
    std::size_t accounts = 0;
    double weight = 0;
    double said = 0;
    double right = 0;
    double plain_said = 0;
    double plain_right = 0;
  };
  for (const std::size_t view : {kAll, kBluesky}) {
    std::map<std::pair<std::string, std::string>, Sum> sums;
    for (const auto& answer : answers) {
      const double said = answer.resolution.confidence / 255.0;
      if (answer.view != view || !answer.resolution.country.known() || said < kSaid) continue;
      for (const char* sample : {"all", data.lines[answer.line].sample.c_str()}) {
        for (const std::string& ground : {words_of(answer.ground), std::string("in all")}) {
          Sum& sum = sums[{sample, ground}];
          const double weight = data.weights[answer.line];
          ++sum.accounts;
          sum.weight += weight;
          sum.said += weight * said;
          sum.right += answer.right ? weight : 0;
          sum.plain_said += said;
          sum.plain_right += answer.right ? 1 : 0;
        }
      }
    }
    fmt::print("{}: said at {} or more\n", kViews[view].name, kSaid);
    for (const auto& [key, sum] : sums) {
      const auto n = static_cast<double>(sum.accounts);
      fmt::print(
          "  {:<10} {:<26} n {:>5}: said {:.3f} right {:.3f}   weighted: said {:.3f} right "
          "{:.3f}\n",
          key.first, key.second, sum.accounts, sum.plain_said / n, sum.plain_right / n,
          sum.said / sum.weight, sum.right / sum.weight);
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
    file.print("GEOTALLY_WEIGHT({}, {:.4g}, {:g}, {:g}, \"{}\")\n", info.name, weights.*info.member,
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
      if (account && account->labelled && (account->is_place || account->truth.size() == 1)) {
        data.lines.push_back(std::move(*account));
      }
    }
  }
  if (data.lines.empty()) {
    throw std::runtime_error(
        "usage: geotally-geo-fit [--table FILE] [--as-committed | --write WEIGHTS.inc] FILE…");
  }
  return data;
}

// Weighs the accounts, and says what each is worth.
void prepare(Data& data, const std::filesystem::path& table) {
  const geo::Resolver resolver({.threshold = 0, .table = table});
  std::map<std::string_view, std::size_t> elsewhere;
  for (const AccountLine& line : data.lines) {
    auto& states = data.states.emplace_back();
    for (std::size_t v = 0; v < kViewCount; ++v) {
      states[v] = resolve_account(resolver, line, kViews[v].fields).state;
    }
    if (!line.is_place && line.sample != kFairSample) ++elsewhere[line.truth.front().code()];
  }
  const auto pooled = [&](const AccountLine& line) {
    if (line.is_place) return false;
    return line.sample != kFairSample || elsewhere[line.truth.front().code()] >= kDrawnFrom;
  };
  double fair = 0;
  double all = 0;
  for (const AccountLine& line : data.lines) {
    if (!pooled(line)) continue;
    ++all;
    if (line.sample == kFairSample) ++fair;
  }
  double sum = 0;
  double squares = 0;
  for (const AccountLine& line : data.lines) {
    data.weights.push_back(pooled(line) && fair > 0 ? fair / all : 1);
    sum += data.weights.back();
    squares += data.weights.back() * data.weights.back();
  }
  // So many accounts of equal weight would say as much.
  for (double& weight : data.weights) weight *= sum / squares;
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
  Data data = read(files);
  prepare(data, table);
  const Fitter fitter(data, table);
  std::vector<std::size_t> everything(data.lines.size());
  for (std::size_t i = 0; i < everything.size(); ++i) everything[i] = i;
  std::vector<Fitter::Answer> answers;
  if (only_evaluate) {
    fitter.judge({geo::Weights{}, geo::Resolver::kDefaultThreshold}, everything, answers);
    fmt::print("committed weights, threshold {:.3f}\n", geo::Resolver::kDefaultThreshold);
    print(data, answers);
    print_bases(data, answers);
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
  print_bases(data, answers);
  const Fitter::Fit all = fitter.fit(everything);
  const geo::Weights& weights = all.weights;
  fmt::print("\nfitted to everything\n  {:<18} {:.3f}   folds", "threshold", all.threshold);
  for (const auto& fold : folds) fmt::print(" {:.3f}", fold.threshold);
  fmt::print("   (committed {:.3f}: lib/geo/resolver.h, lib/config/config.h)\n",
             geo::Resolver::kDefaultThreshold);
  for (const auto& info : geo::kWeightInfos) {
    fmt::print("  {:<18} {:.4g}   judged {:.4g} ± {:.4g}   folds", info.name, weights.*info.member,
               info.judged, info.spread);
    for (const auto& fold : folds) fmt::print(" {:.4g}", fold.weights.*info.member);
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
