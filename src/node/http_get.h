// A probe's or a hook's GET (upstream's pkg/probe/http, release 1.36, over Go's net/http): HTTP/1.1
// on a connection of its own.
#pragma once

#include <memory>

#include "node/network_probes.h"
#include "node/probe_exchange.h"

namespace podium::node {

// As NetworkProbes::HttpGet.
void BeginHttpGet(const std::shared_ptr<ProbeExchanges>& all, HttpCall call,
                  NetworkProbes::Done<NetworkProbes::Reply> done);

}  // namespace podium::node
