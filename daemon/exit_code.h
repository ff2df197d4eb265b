// How the program ends, as sysexits.h has it. A restart is useless after 64, 65, 73 and 78;
// systemd/geotally.service says so too.
#pragma once

namespace geotally {

enum ExitCode : int {
  kExitOk = 0,
  kExitFailure = 1,  ///< verify found a difference, or healthcheck no health
  kExitUsage = 64,
  kExitData = 65,         ///< a store that is refused
  kExitUnavailable = 69,  ///< the port is taken, or no daemon answers
  kExitSoftware = 70,     ///< a bug
  kExitCannotCreate = 73,
  kExitIo = 74,
  kExitConfig = 78,
};

}  // namespace geotally
