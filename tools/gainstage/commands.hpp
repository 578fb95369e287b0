#pragma once
/// The commands of `gainstage`. Each returns its exit code.

#include "tools/gainstage/exit_code.hpp"
#include "tools/gainstage/options.hpp"

namespace gainstage {

int run_bench(const BenchOptions&);
int run_check(const CheckOptions&);
int run_devices(const DevicesOptions&);
int run_info(const InfoOptions&);
int run_latency(const LatencyOptions&);
int run_nodes(const NodesOptions&);
int run_render(const RenderOptions&);
int run_run(const RunOptions&);
int run_send(const SendOptions&);

}  // namespace gainstage
