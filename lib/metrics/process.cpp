#include "metrics/process.h"

#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <sstream>
#include <string>

#include <sys/resource.h>
#include <unistd.h>

namespace geotally::metrics {
namespace {

double limit(__rlimit_resource resource) {
  rlimit value{};
  if (getrlimit(resource, &value) != 0) return 0;
  return value.rlim_cur == RLIM_INFINITY ? std::numeric_limits<double>::infinity()
                                         : static_cast<double>(value.rlim_cur);
}

}  // namespace

ProcessFigures process_figures() {
  ProcessFigures figures;
  timespec cpu{};
  if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu) == 0) {
    figures.cpu_seconds = static_cast<double>(cpu.tv_sec) + static_cast<double>(cpu.tv_nsec) / 1e9;
  }

  // proc(5), /proc/[pid]/stat: the name may hold spaces and parentheses, so the fields are
  // counted from the last one; the first after it is number 3.
  std::ifstream file("/proc/self/stat");
  std::string stat((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (const auto end = stat.rfind(')'); end != std::string::npos) {
    std::istringstream fields(stat.substr(end + 1));
    std::string field;
    for (int number = 3; number <= 24 && fields >> field; ++number) {
      if (number == 20) figures.threads = std::stoull(field);
      if (number == 23) figures.virtual_bytes = std::stoull(field);
      if (number == 24) {
        figures.resident_bytes =
            std::stoull(field) * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
      }
    }
  }

  std::error_code error;
  for (std::filesystem::directory_iterator entry("/proc/self/fd", error), end;
       !error && entry != end; entry.increment(error)) {
    ++figures.open_fds;
  }
  if (figures.open_fds > 0) --figures.open_fds;  // the one that counts them

  figures.virtual_bytes_max = limit(RLIMIT_AS);
  figures.fds_max = limit(RLIMIT_NOFILE);
  return figures;
}

}  // namespace geotally::metrics
