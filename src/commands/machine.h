// What the agent has to know of the machine it is on.
#pragma once

#include <string>

#include "base/instance.h"
#include "node/node_config.h"

namespace podium::commands {

// The node's name is the machine's, in lower case; its addresses are those of the interfaces that
// are up, loopback only where there are no others.
node::NodeConfig DescribeMachine(const Instance& instance);

// The address by which this machine goes out where nothing says otherwise (its default route's);
// "" without such a route, or when it leads nowhere but here.
std::string DefaultRouteAddress(bool v6);

}  // namespace podium::commands
