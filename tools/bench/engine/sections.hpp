#pragma once
/// The parts of engine_bench, each rows of its own. `source`: the project's folder.

#include <string>

#include "tools/bench/engine/report.hpp"

namespace gainstage {

void graph_cost(BenchReport&);
void building(BenchReport&);
void editing(BenchReport&);
void swapping(BenchReport&, const std::string& source);
void reloading(BenchReport&, const std::string& source);
void reloading_every_family(BenchReport&);
void threads(BenchReport&, const std::string& source);
void checking(BenchReport&, const std::string& source);

}  // namespace gainstage
