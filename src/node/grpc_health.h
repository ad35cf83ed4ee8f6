// The standard health check of gRPC (upstream's pkg/probe/grpc, release 1.36): HTTP/2 in clear text
// (h2c), one call of grpc.health.v1.Health/Check on a connection of its own. A connection that does
// not come about (refused, ended, or without the server's settings) is tried again until the time
// is over, with the pauses of grpc-go's back-off, but without their chance.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "node/network_probes.h"
#include "node/probe_exchange.h"

namespace podium::node {

// As NetworkProbes::GrpcHealth.
void BeginGrpcHealth(const std::shared_ptr<ProbeExchanges>& all, const std::string& host,
                     uint16_t port, const std::string& service, std::chrono::seconds timeout,
                     NetworkProbes::Done<std::string> done);

}  // namespace podium::node
