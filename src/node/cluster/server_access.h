// How the parts of this folder reach the API server. Internal to the folder.
#pragma once

#include <chrono>
#include <functional>

#include "base/clock.h"
#include "base/executor.h"
#include "client/connection.h"

namespace podium::node {

// All outlive whoever gets it.
struct ServerAccess {
  client::Connection* connection = nullptr;
  Executor* executor = nullptr;
  const Clock* clock = nullptr;
  // From 0 to 1, for jitter. Any thread.
  std::function<double()> random{};
  // What goes wrong while it goes on: refused lists, watches that broke off. Any thread.
  std::function<void(const client::Target& target, const Error& error)> on_error{};
  // How long a question waits for the first answer of a watch, as upstream.
  std::chrono::nanoseconds patience = std::chrono::seconds(1);
};

}  // namespace podium::node
