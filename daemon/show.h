// rankings, country, history, gaps, status: one question each, shown as a table, JSON or CSV.
#pragma once

#include <functional>

#include <CLI/CLI.hpp>

#include "daemon/source.h"

namespace geotally {

/// Options that say who answers: --url, --data-dir, --token-file, --config.
/// References must outlive the parsing and what it chooses.
void add_source(CLI::App& command, config::Inputs& inputs, SourceOptions& source);

/// Adds the five commands; parsing one of them sets `chosen`, which returns the exit code.
void add_questions(CLI::App& app, config::Inputs& inputs, std::function<int()>& chosen);

/// Adds `study`, in the same way.
void add_study(CLI::App& app, config::Inputs& inputs, std::function<int()>& chosen);

}  // namespace geotally
