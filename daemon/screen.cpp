#include "daemon/screen.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "daemon/table.h"

namespace geotally {
namespace {

// ECMA-48: to the first row; what is left of a line, or of all lines, is erased.
constexpr std::string_view kHome = "\x1b[H";
constexpr std::string_view kLineEnd = "\x1b[K\n";
constexpr std::string_view kEraseRest = "\x1b[J";

sigset_t window_changes() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGWINCH);
  return signals;
}

// `text` as it is drawn on a terminal of this size (0 = it does not say which); the last row is
// the cursor's.
std::string fitted(std::string_view text, std::size_t rows, std::size_t columns) {
  const auto lines = static_cast<std::size_t>(std::ranges::count(text, '\n'));
  const bool cut = rows > 0 && lines >= rows;
  const std::size_t shown = !cut ? lines : rows < 3 ? rows - 1 : rows - 2;
  std::string out(kHome);
  const auto draw = [&](std::string_view line) {
    out.append(cut_to_width(line, columns > 0 ? columns : line.size())).append(kLineEnd);
  };
  for (std::size_t line = 0; line < shown; ++line) {
    const std::size_t end = text.find('\n');
    draw(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  if (cut && rows >= 3) draw(fmt::format("... {} more lines", lines - shown));
  return out.append(kEraseRest);
}

}  // namespace

Screen::Screen() : terminal_(::isatty(STDOUT_FILENO) == 1) {
  if (!terminal_) return;
  const sigset_t changes = window_changes();
  pthread_sigmask(SIG_BLOCK, &changes, nullptr);  // wait() takes them
}

void Screen::show(std::string text) {
  text_ = std::move(text);
  problem_.clear();
  if (terminal_) return draw();
  fmt::print("{}", text_);
  std::fflush(stdout);
}

void Screen::keep(std::string problem) {
  problem_ = std::move(problem);
  if (terminal_) return draw();
  fmt::print(stderr, "{}\n", problem_);
}

void Screen::draw() const {
  const std::string all = problem_.empty() ? text_ : problem_ + '\n' + text_;
  winsize size{};
  ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
  fmt::print("{}", fitted(all, size.ws_row, size.ws_col));
  std::fflush(stdout);
}

void Screen::wait(double seconds) const {
  using Clock = std::chrono::steady_clock;
  using std::chrono::nanoseconds;
  const auto end = Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                      std::chrono::duration<double>(seconds));
  const sigset_t changes = window_changes();
  for (auto left = end - Clock::now(); left > nanoseconds(0); left = end - Clock::now()) {
    const auto whole = std::chrono::duration_cast<std::chrono::seconds>(left);
    const timespec patience{whole.count(), (left - whole).count()};
    if (::sigtimedwait(&changes, nullptr, &patience) == SIGWINCH) draw();
  }
}

}  // namespace geotally
