// geotally rebuild --into DIR: a new store of what verifies in a damaged one, which stays as it is.
#pragma once

#include <functional>

#include <CLI/CLI.hpp>

#include "config/load.h"

namespace geotally {

/// Adds the command; parsing it sets `chosen`, which returns the exit code.
void add_rebuild(CLI::App& app, config::Inputs& inputs, std::function<int()>& chosen,
                 const std::function<void(CLI::App&, config::Inputs&)>& add_configuration);

}  // namespace geotally
