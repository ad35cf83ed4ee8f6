// The standard health check of gRPC (upstream's pkg/probe/grpc, release 1.36): HTTP/2 in clear text
// (h2c), just as much of it as a check takes (grpc.health.v1.Health/Check; RFC 9113).
//
// Upstream's client tries a connection that is refused again until the time is over; here that is
// the end of the check.
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
