#pragma once
/// The sections of engine_bench; each prints its own rows. `source`: the folder of the project.

#include <string>

#include "tools/bench/engine/report.hpp"

namespace gainstage {

void graph_cost(BenchReport&);
void building(BenchReport&);
void editing(BenchReport&);
void swapping(BenchReport&, const std::string& source);
void reloading(BenchReport&, const std::string& source);
void reloading_every_family(BenchReport&);
void state_cost(BenchReport&);
void threads(BenchReport&, const std::string& source);
void checking(BenchReport&, const std::string& source);

}  // namespace gainstage
